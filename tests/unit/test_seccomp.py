"""The system call filter, run by a small interpreter of classic BPF: every call number, and the looked-at arguments."""

from __future__ import annotations

import errno
import struct

import pytest

from autograder.sandbox import seccomp

X86_64, I386 = 0xC000003E, 0x40000003
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, ENOTTY = (0x00050000 | number for number in (errno.EPERM, errno.ENOSYS, errno.ENOTTY))
LOOKED_AT = {
    **{"clone": 56, "clone3": 435, "socket": 41, "socketpair": 53, "ioctl": 16, "prctl": 157, "mmap": 9},
    **{"fcntl": 72, "flock": 73, "preadv2": 327, "pwritev2": 328, "madvise": 28},
}
DONE = 0x00050000  # not run, and success is reported


def decide(program: bytes, number: int, *arguments: int, arch: int = X86_64) -> int:
    """What the kernel would do with a call: the filter's return value."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, arch, 0, *[argument & (1 << 64) - 1 for argument in padded])
    code = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif operation == 0x06:
            return int(value)
        elif operation == 0x54:
            accumulator &= value
        else:
            holds = {
                0x15: accumulator == value,
                0x25: accumulator > value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[operation]
            at += if_true if holds else if_false


@pytest.fixture(scope="module")
def program() -> bytes:
    """The filter for the CPU."""
    return seccomp.program()


def test_every_number_is_decided_as_the_table_says(program: bytes) -> None:
    table = set(seccomp.ALLOWED.values())
    for number in set(range(600)) - set(LOOKED_AT.values()):
        expected = ALLOW if number in table else EPERM if number <= 462 else ENOSYS
        assert decide(program, number) == expected, number


def test_what_would_weaken_the_sandbox_is_not_in_the_table() -> None:
    forbidden = {
        *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"),
        *("mount", "umount2", "move_mount", "fsopen", "pivot_root", "chroot", "unshare", "setns", "sethostname"),
        *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "init_module", "kexec_load", "syslog"),
        *("keyctl", "add_key", "request_key", "memfd_create", "memfd_secret", "shmget", "msgget", "semget"),
        *("mknod", "mknodat", "open_by_handle_at", "name_to_handle_at", "quotactl", "swapon", "vmsplice"),
        *("splice", "tee", "sendfile"),
        *("setuid", "setgid", "setreuid", "setresuid", "capset", "personality", "reboot", "settimeofday"),
        *("seccomp", "landlock_restrict_self"),
        *("fadvise64", "readahead", "mincore", "cachestat", "inotify_init", "inotify_init1", "inotify_add_watch"),
        *("sendmsg", "sendmmsg"),
    }
    assert not forbidden & set(seccomp.ALLOWED)


def test_other_ways_into_the_kernel_are_closed(program: bytes) -> None:
    assert decide(program, 20, arch=I386) == KILL
    assert decide(program, 0x40000000 | seccomp.ALLOWED["getpid"]) == EPERM
    assert decide(program, 0xFFFFFFFF) == EPERM


@pytest.mark.parametrize(
    "flag", [0x80, 0x8000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_clone_makes_no_namespace_and_no_child_of_the_server(program: bytes, flag: int) -> None:
    assert decide(program, LOOKED_AT["clone"], flag | 17) == EPERM
    assert decide(program, LOOKED_AT["clone"], 0x003D0F00) == ALLOW  # what a thread is made with
    assert decide(program, LOOKED_AT["clone3"]) == ENOSYS


@pytest.mark.parametrize("name", ["socket", "socketpair"])
def test_sockets_are_local(program: bytes, name: str) -> None:
    assert decide(program, LOOKED_AT[name], 1, 1) == ALLOW
    for family in (0, 2, 10, 16, 17, 38, 40, 44, 1 << 31):
        assert decide(program, LOOKED_AT[name], family, 1) == EPERM


def test_arguments_are_compared_as_the_kernel_reads_them(program: bytes) -> None:
    high = 1 << 32  # the kernel takes only the low half of these
    assert decide(program, LOOKED_AT["socket"], high | 2) == EPERM
    assert decide(program, LOOKED_AT["ioctl"], 0, high | 0x5412) == ENOTTY
    assert decide(program, LOOKED_AT["clone"], high | 0x10000000) == EPERM


def test_device_calls(program: bytes) -> None:
    gpu = seccomp.program(gpu=True)
    driver, size, type_in = 0xC020462A, 0x5413, 0x5412
    assert (decide(program, 16, 0, size), decide(program, 16, 0, driver)) == (ALLOW, ENOTTY)
    assert (decide(gpu, 16, 0, size), decide(gpu, 16, 0, driver)) == (ALLOW, ALLOW)
    assert decide(program, 16, 0, type_in) == ENOTTY
    assert decide(gpu, 16, 0, type_in) == EPERM


def test_files_carry_no_word_to_another_session(program: bytes) -> None:
    einval = 0x00050000 | errno.EINVAL
    fcntl = {command: decide(program, LOOKED_AT["fcntl"], 3, command) for command in (*range(50), *range(1020, 1045))}
    assert {command for command, answer in fcntl.items() if answer == ALLOW} == {0, 1, 2, 3, 4, 1030, 1032}
    assert {command for command, answer in fcntl.items() if answer == DONE} == {6, 7, 37, 38}  # locks
    assert set(fcntl.values()) == {ALLOW, DONE, einval}
    assert decide(program, LOOKED_AT["flock"], 3, 2) == DONE
    advice = {kind: decide(program, LOOKED_AT["madvise"], 0, 4096, kind) for kind in range(120)}
    assert {kind for kind, answer in advice.items() if answer == ALLOW} == {*range(5), 8, 10, 11, *range(14, 20)}
    assert set(advice.values()) == {ALLOW, einval}
    assert {decide(program, LOOKED_AT[name], 3) for name in ("preadv2", "pwritev2")} == {ENOSYS}


def test_process_settings(program: bytes) -> None:
    assert decide(program, 157, 15) == ALLOW  # a thread's name
    for option in (4, 8, 22, 24, 28, 35, 47):  # dumpable, keepcaps, seccomp, capbset, securebits, mm, ambient
        assert decide(program, 157, option) == EPERM


def test_maps_that_no_figure_shows(program: bytes) -> None:
    for shared in (0x1, 0x3):
        assert decide(program, 9, 0, 4096, 3, shared | 0x20) == EPERM
        assert decide(program, 9, 0, 4096, 3, 0x4020 | shared) == EPERM  # with MAP_NORESERVE
        assert decide(program, 9, 0, 4096, 3, shared) == ALLOW  # of a file
    for private in (0x22, 0x20022, 0x2):
        assert decide(program, 9, 0, 4096, 3, private) == ALLOW


def test_it_fits_the_kernel(program: bytes) -> None:
    assert len(program) // 8 < 4096
    assert max(if_true for _, if_true, _, _ in struct.iter_unpack("<HBBI", program)) < 256
