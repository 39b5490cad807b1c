"""The first program inside the sandbox: locks itself in, then becomes the harness. Standard library only.

Started by bubblewrap in fresh namespaces with CAP_SYS_ADMIN over them, before any student byte is read. It sizes the
writable file systems, sets limits, gives up every privilege and loads the system call filter. If one lock fails it
ends with FAILED and says which. The judge only reads the constants; launch.py binds this file into the sandbox.
"""
# Without pathlib, whose import would double the time this takes.
# ruff: noqa: PTH102, PTH106, PTH112, PTH123

import base64
import contextlib
import ctypes
import json
import os
import resource
import sys
from typing import Any

FAILED = 97
SYS_CAPSET, SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 126, 444, 445, 446
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND = 1, 2, 4, 32, 4096
MNT_DETACH = 2
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 24, 38, 47
CHANNEL = 3
BOX = "/box"  # the file system behind WORK and TMP while they are made
WORK, TMP, SHM = "/work", "/tmp", "/dev/shm"  # noqa: S108
# Landlock rights by the ABI that brought them: execute, read file, read directory; then what writes.
READ = 1 << 0 | 1 << 2 | 1 << 3
WRITE = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12  # no device nodes (6, 11)
DEVICE_NODES = 1 << 6 | 1 << 11
O_PATH = 0o10000000

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """The result of a C call, or OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def mount(source: str | None, target: str, flags: int, options: str = "") -> None:
    """mount(2) without a file system type: binds and remounts."""
    data = options.encode() if options else None
    check(libc.mount(source and source.encode(), target.encode(), None, flags, data), f"mount {target}")


def size_file_systems(config: dict[str, Any]) -> None:
    """One sized file system behind /work and /tmp, one behind /dev/shm; all else read-only.

    A size alone would let through as many empty files as the machine has memory for, so inodes are limited as well.
    """
    quiet = MS_NOSUID | MS_NODEV
    mount(None, BOX, MS_REMOUNT | quiet, f"size={config['disk']},nr_inodes={config['inodes']},mode=0755")
    mount(None, SHM, MS_REMOUNT | quiet, f"size={config['shm']},nr_inodes=1024,mode=0700")
    for path in (WORK, TMP):
        os.mkdir(BOX + path, 0o700)
        mount(BOX + path, path, MS_BIND)
    check(libc.umount2(BOX.encode(), MNT_DETACH), "umount")
    os.rmdir(BOX)
    for path, text in config["files"].items():
        with open(path, "w") as file:
            file.write(text)
    mount(None, "/", MS_REMOUNT | MS_BIND | MS_RDONLY | quiet)


def keep_only(channel: int) -> None:
    """The channel becomes descriptor 3; nothing else but the standard streams stays open."""
    if channel != CHANNEL:
        os.dup2(channel, CHANNEL)
    os.set_inheritable(CHANNEL, True)
    os.closerange(CHANNEL + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def set_limits(limits: dict[str, int]) -> None:
    """Hard limits, which can't be raised again. The kernel's out-of-memory killer is told to look here first."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def drop_privileges() -> None:
    """No capability, and no way back to one."""
    check(libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0), "ambient capabilities")
    number = 0
    while libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    if number < 38:
        raise OSError(ctypes.get_errno(), "could not empty the bounding set")
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    check(libc.syscall(SYS_CAPSET, header, (ctypes.c_uint32 * 6)()), "capabilities")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def landlock(writable: list[str]) -> None:
    """A second fence around files and other processes, where the kernel has it."""
    abi = libc.syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if abi < 1:
        return
    write = WRITE | (1 << 13 if abi >= 2 else 0) | (1 << 14 if abi >= 3 else 0) | (1 << 15 if abi >= 5 else 0)
    handled = READ | write | DEVICE_NODES
    fields = [handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0]  # files, TCP, abstract sockets and signals
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = (ctypes.c_uint64 * 3)(*fields)
    ruleset = check(libc.syscall(SYS_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock")
    for path, rights in [("/", READ), *((path, READ | write) for path in writable)]:
        if not os.path.isdir(path):
            rights &= 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what means something for a file
        parent = os.open(path, O_PATH | os.O_CLOEXEC)
        rule = rights.to_bytes(8, "little") + parent.to_bytes(4, "little")
        check(libc.syscall(SYS_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock {path}")
        os.close(parent)
    check(libc.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0), "landlock")
    os.close(ruleset)


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def filter_system_calls(code: bytes) -> None:
    """From here on only listed system calls work."""
    check(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0), "seccomp")


def main() -> None:
    """Lock in, then become the harness. The one argument is a JSON object (see launch.py)."""
    config = json.loads(sys.argv[1])
    os.umask(0o077)
    size_file_systems(config)
    keep_only(config["channel"])
    os.chdir(WORK)
    set_limits(config["limits"])
    drop_privileges()
    landlock(config["writable"])
    filter_system_calls(base64.b64decode(config["filter"]))
    os.execve(config["command"][0], config["command"], config["environment"])  # noqa: S606


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.stderr.write(f"sandbox lock-in failed: {error}\n")
        os._exit(FAILED)
