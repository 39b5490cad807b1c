"""The locks of a sandboxed process, one function each. Linux on x86-64, standard library and ctypes only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterable, Mapping

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MADV_COLLAPSE = 25
_CAPSET, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 126, 444, 445, 446
_PDEATHSIG, _DUMPABLE, _SECCOMP, _CAPBSET_DROP, _NO_NEW_PRIVS, _CAP_AMBIENT = 1, 4, 22, 24, 38, 47
# Landlock rights: execute, read file, read directory; then what writes, by the version that brought it.
_READ = 1 << 0 | 1 << 2 | 1 << 3
_WRITE = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12
_DEVICE_NODES = 1 << 6 | 1 << 11
_FILE_RIGHTS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_O_PATH, _MNT_DETACH, _SIGKILL = 0o10000000, 2, 9
FAILED = 97  # exit status of a process that could not lock itself in

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """The result of a C call. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2). Raises OSError."""
    words = [text.encode() if text else None for text in (source, target, kind, options)]
    check(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount out of sight. Raises OSError."""
    check(libc.umount2(target.encode(), _MNT_DETACH), f"umount {target}")


def write_and_close_root(files: Mapping[str, str]) -> None:
    """Write files (path → text), then make the root folder's own file system read-only."""
    for path, text in files.items():
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError."""
    check(libc.unshare(flags), "unshare")


def enter(namespace: int, kind: int) -> None:
    """setns(2): `namespace` is a descriptor. Raises OSError."""
    check(libc.setns(namespace, kind), "setns")


def new_user_namespace(uid: int, gid: int) -> None:
    """A user namespace in which only this user exists, under the same numbers."""
    unshare(NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def die_with_parent() -> None:
    """SIGKILL when the parent ends."""
    check(libc.prctl(_PDEATHSIG, _SIGKILL, 0, 0, 0), "death signal")


def close_all_but(keep: Iterable[int]) -> None:
    """Close every descriptor that is not listed."""
    first = 0
    for number in sorted(set(keep)):
        if number > first:
            check(libc.close_range(first, number - 1, 0), "close_range")
        first = number + 1
    check(libc.close_range(ctypes.c_uint(first), ctypes.c_uint(0xFFFFFFFF), 0), "close_range")


def set_host_name(name: str) -> None:
    """What uname says. Raises OSError."""
    check(libc.sethostname(name.encode(), len(name)), "sethostname")


def set_readable_by_itself() -> None:
    """Changing its user namespace hid the process's /proc/self/fd and the like from itself; show them again."""
    check(libc.prctl(_DUMPABLE, 1, 0, 0, 0), "dumpable")


def set_limits(limits: Mapping[str, int]) -> None:
    """Hard limits by name (CPU, NPROC, …), never above those in force. The out-of-memory killer is told to look here
    first.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1000")
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def clear_ambient_capabilities() -> None:
    """Nothing executed from here on has a capability."""
    check(libc.prctl(_CAP_AMBIENT, 4, 0, 0, 0), "ambient capabilities")


def drop_privileges() -> None:
    """No capability, and no way back to one."""
    clear_ambient_capabilities()
    number = 0
    while libc.prctl(_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    if number < 38:
        raise OSError(ctypes.get_errno(), "could not empty the bounding set")
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    check(libc.syscall(_CAPSET, header, (ctypes.c_uint32 * 6)()), "capabilities")
    check(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def landlock(writable: Iterable[str]) -> None:
    """A second fence around files and other processes, where the kernel has it."""
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return
    write = _WRITE | sum(1 << bit for bit, since in ((13, 2), (14, 3), (15, 5)) if version >= since)
    # What is handled: files, TCP, then signals and abstract sockets that leave the fence.
    fields = [_READ | write | _DEVICE_NODES, 3 if version >= 4 else 0, 3 if version >= 6 else 0]
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = (ctypes.c_uint64 * 3)(*fields)
    rules = check(libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock")
    for path, rights in [("/", _READ), *((path, _READ | write) for path in writable)]:
        allowed = rights if os.path.isdir(path) else rights & _FILE_RIGHTS  # noqa: PTH112
        parent = os.open(path, _O_PATH | os.O_CLOEXEC)
        rule = allowed.to_bytes(8, "little") + parent.to_bytes(4, "little")
        check(libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0), f"landlock {path}")
        os.close(parent)
    check(libc.syscall(_LANDLOCK_RESTRICT, rules, 0), "landlock")
    os.close(rules)


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def filter_system_calls(code: bytes) -> None:
    """From here on only the calls work that the program (struct sock_filter[]) lists."""
    program = _Program(len(code) // 8, code)
    check(libc.prctl(_SECCOMP, 2, ctypes.byref(program), 0, 0), "seccomp")


def give_up_everything(limits: Mapping[str, int], writable: Iterable[str], filter_code: bytes) -> None:
    """The locks that every student process wears, in the one order that works."""
    set_limits(limits)
    drop_privileges()
    landlock(writable)
    filter_system_calls(filter_code)
