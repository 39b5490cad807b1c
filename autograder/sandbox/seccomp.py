"""The system calls student code may make, as a classic BPF program for seccomp. An allow-list, x86-64 only.

What is missing on purpose: everything that makes or enters namespaces, mounts, traces other processes, loads code into
the kernel, or holds memory the watchdog can't see (memfd, System V shared memory, io_uring, nameless shared maps, the
queues of inotify, and splice, which pins a page for each byte it sends); and what one session could tell another by on
files that all of them read: what of a file is in memory (fadvise64, readahead, mincore, preadv2), watches, leases and
hints; and sendmsg, which sends descriptors: those on their way count for all sessions of a user together. Anything not
listed gives EPERM; calls newer than this table give ENOSYS, so that the C library falls back to older ones.

Locks on files succeed and hold nothing: they would be a word to other sessions, too, and nobody else writes where
student code can.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable

from autograder.errors import SandboxUnavailable

_TABLE = """
# Reading and writing
read=0 write=1 readv=19 writev=20 pread64=17 pwrite64=18 preadv=295 pwritev=296 lseek=8
copy_file_range=326
# Opening and closing
open=2 openat=257 openat2=437 creat=85 close=3 close_range=436 dup=32 dup2=33 dup3=292 pipe=22 pipe2=293
# Looking at files
stat=4 fstat=5 lstat=6 newfstatat=262 statx=332 access=21 faccessat=269 faccessat2=439 readlink=89 readlinkat=267
getcwd=79 getdents=78 getdents64=217 statfs=137 fstatfs=138 getxattr=191 lgetxattr=192 fgetxattr=193 listxattr=194
llistxattr=195 flistxattr=196
# Changing files
chdir=80 fchdir=81 mkdir=83 mkdirat=258 rmdir=84 unlink=87 unlinkat=263 rename=82 renameat=264 renameat2=316 link=86
linkat=265 symlink=88 symlinkat=266 chmod=90 fchmod=91 fchmodat=268 fchmodat2=452 chown=92 fchown=93 lchown=94
fchownat=260 utime=132 utimes=235 utimensat=280 futimesat=261 truncate=76 ftruncate=77 fallocate=285 fsync=74
fdatasync=75 sync_file_range=277 sync=162 umask=95
# Waiting for descriptors
poll=7 ppoll=271 select=23 pselect6=270 epoll_create=213 epoll_create1=291 epoll_ctl=233 epoll_wait=232
epoll_pwait=281 epoll_pwait2=441 eventfd=284 eventfd2=290 timerfd_create=283 timerfd_settime=286 timerfd_gettime=287
signalfd=282 signalfd4=289
# Memory
munmap=11 mprotect=10 mremap=25 brk=12 mlock=149 munlock=150 mlock2=325 msync=26
membarrier=324 pkey_alloc=330 pkey_free=331 pkey_mprotect=329 get_mempolicy=239
# Threads
futex=202 futex_waitv=449 futex_wake=454 futex_wait=455 futex_requeue=456 set_robust_list=273 get_robust_list=274
rseq=334 set_tid_address=218 arch_prctl=158 gettid=186 sched_yield=24 sched_getaffinity=204 sched_setaffinity=203
sched_getparam=143 sched_getscheduler=145 sched_get_priority_max=146 sched_get_priority_min=147 sched_getattr=315
getcpu=309 getpriority=140 setpriority=141 ioprio_get=252
# Processes
fork=57 vfork=58 execve=59 execveat=322 exit=60 exit_group=231 wait4=61 waitid=247 getpid=39 getppid=110 getpgrp=111
getpgid=121 setpgid=109 getsid=124 setsid=112 pidfd_open=434 pidfd_send_signal=424
# Who am I
getuid=102 geteuid=107 getgid=104 getegid=108 getresuid=118 getresgid=120 getgroups=115 capget=125 uname=63 sysinfo=99
getrusage=98 getrlimit=97 setrlimit=160 prlimit64=302
# Signals
kill=62 tkill=200 tgkill=234 rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 rt_sigpending=127 rt_sigsuspend=130
rt_sigtimedwait=128 rt_sigqueueinfo=129 rt_tgsigqueueinfo=297 sigaltstack=131 pause=34 restart_syscall=219 alarm=37
getitimer=36 setitimer=38
# Time and chance
timer_create=222 timer_settime=223 timer_gettime=224 timer_getoverrun=225 timer_delete=226 nanosleep=35
clock_nanosleep=230 clock_gettime=228 clock_getres=229 gettimeofday=96 time=201 times=100 getrandom=318
# Local sockets, once made
connect=42 bind=49 listen=50 accept=43 accept4=288 getsockname=51 getpeername=52 sendto=44 recvfrom=45 recvmsg=47
recvmmsg=299 shutdown=48 setsockopt=54 getsockopt=55
"""
ALLOWED = {
    name: int(number)
    for line in _TABLE.splitlines()
    if not line.startswith("#")
    for name, number in (pair.split("=") for pair in line.split())
}
_CLONE, _CLONE3, _SOCKET, _SOCKETPAIR, _IOCTL, _PRCTL, _MMAP = 56, 435, 41, 53, 16, 157, 9
_FCNTL, _FLOCK, _PREADV2, _PWRITEV2, _MADVISE = 72, 73, 327, 328, 28
_NEWEST = 462  # mseal: the newest call this table knows of
_CLONE_BITS = 0x7E028080  # CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}; CLONE_PARENT: a child of the fork server's
_FCNTLS = (0, 1, 2, 3, 4, 1030, 1032)  # F_DUPFD, F_{GET,SET}{FD,FL}, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
# NORMAL to DONTNEED, FREE, {DONT,DO}FORK, (NO)HUGEPAGE, {DONT,DO}DUMP, {WIPE,KEEP}ONFORK; not PAGEOUT, which all notice
_ADVICE = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)
_LOCKS = (6, 7, 37, 38)  # F_SETLK F_SETLKW F_OFD_SETLK F_OFD_SETLKW
_UNIX = 1
_MAP_KIND, _SHARED_NAMELESS = 0x2F, (0x21, 0x23)  # MAP_TYPE | MAP_ANONYMOUS; with MAP_SHARED, MAP_SHARED_VALIDATE
_IOCTLS = (0x5401, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x5452)  # TCGETS TIOCGPGRP TIOCGWINSZ FION* FIO*
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI TIOCLINUX: type into a terminal
_PRCTLS = (
    1,
    2,
    3,
    15,
    16,
    21,
    23,
    30,
    38,
    39,
    0x53564D41,
)  # death signal, names, reading flags, no_new_privs, VMA names

_ARCH_X86_64, _X32_BIT = 0xC000003E, 0x40000000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN, _AND = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06, 0x54
_NUMBER_AT, _ARCH_AT = 0, 4
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def program(*, gpu: bool = False) -> bytes:
    """The filter as `struct sock_filter[]`. gpu: the driver's ioctl calls are allowed too.

    Raises SandboxUnavailable on a machine that is not x86-64.
    """
    if platform.machine() != "x86_64":
        raise SandboxUnavailable(
            f"The system call filter is written for x86-64 and this machine is {platform.machine()}. "
            "Run the grading workers on an x86-64 machine."
        )
    code = [
        _op(_LOAD, _ARCH_AT),
        _op(_JUMP_EQUAL, _ARCH_X86_64, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER_AT),
        _op(_JUMP_BITS, _X32_BIT, 0, 1),
        _op(_RETURN, _error(errno.EPERM)),
        _op(_JUMP_GREATER, _NEWEST, 0, 1),
        _op(_RETURN, _error(errno.ENOSYS)),
        _op(_JUMP_EQUAL, _CLONE3, 0, 1),  # its flags are behind a pointer; the C library falls back to clone
        _op(_RETURN, _error(errno.ENOSYS)),
        *_always(_FLOCK, 0),
        *_always(_PREADV2, errno.ENOSYS),  # without flags the C library takes preadv
        *_always(_PWRITEV2, errno.ENOSYS),
        *_if_one_of(_FCNTL, 1, _FCNTLS, errno.EINVAL, pretended=_LOCKS),
        *_if_no_bits(_CLONE, 0, _CLONE_BITS),
        *_if_one_of(_SOCKET, 0, (_UNIX,), errno.EPERM),
        *_if_one_of(_SOCKETPAIR, 0, (_UNIX,), errno.EPERM),
        *_if_one_of(_PRCTL, 0, _PRCTLS, errno.EPERM),
        *_if_one_of(_MADVISE, 2, _ADVICE, errno.EINVAL),
        *_if_none_of(_MMAP, 3, _SHARED_NAMELESS, _MAP_KIND),
        *(_if_none_of(_IOCTL, 1, _TERMINAL_INPUT) if gpu else _if_one_of(_IOCTL, 1, _IOCTLS, errno.ENOTTY)),
    ]
    for first, last in _ranges(ALLOWED.values()):
        code += [
            _op(_JUMP_GREATER, last, 3, 0),
            _op(_JUMP_AT_LEAST, first, 0, 1),
            _op(_RETURN, _ALLOW),
            _op(_RETURN, _error(errno.EPERM)),
        ]
    return b"".join([*code, _op(_RETURN, _error(errno.EPERM))])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _error(number: int) -> int:
    return 0x00050000 | number


def _argument(index: int) -> int:
    """Offset of the low half of an argument; all of those looked at are ints to the kernel."""
    return 16 + 8 * index


def _if_no_bits(number: int, argument: int, bits: int) -> list[bytes]:
    body = [
        _op(_LOAD, _argument(argument)),
        _op(_JUMP_BITS, bits, 1, 0),
        _op(_RETURN, _ALLOW),
        _op(_RETURN, _error(errno.EPERM)),
    ]
    return [_op(_JUMP_EQUAL, number, 0, len(body)), *body]


def _always(number: int, answer: int) -> list[bytes]:
    """The call does nothing; answer: an error's number, 0 for success."""
    return [_op(_JUMP_EQUAL, number, 0, 1), _op(_RETURN, _error(answer))]


def _if_one_of(
    number: int, argument: int, values: tuple[int, ...], refusal: int, pretended: tuple[int, ...] = ()
) -> list[bytes]:
    """pretended: values with which the call does nothing, and says it succeeded."""
    tests = [_op(_JUMP_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
    shams = [_op(_JUMP_EQUAL, value, len(values) + len(pretended) + 1 - i, 0) for i, value in enumerate(pretended)]
    ends = [_op(_RETURN, _error(refusal)), _op(_RETURN, _ALLOW), _op(_RETURN, _error(0))]
    body = [_op(_LOAD, _argument(argument)), *shams, *tests, *ends]
    return [_op(_JUMP_EQUAL, number, 0, len(body)), *body]


def _if_none_of(number: int, argument: int, values: tuple[int, ...], mask: int = 0xFFFFFFFF) -> list[bytes]:
    tests = [_op(_JUMP_EQUAL, value, len(values) - i, 0) for i, value in enumerate(values)]
    body = [_op(_LOAD, _argument(argument)), _op(_AND, mask), *tests]
    body += [_op(_RETURN, _ALLOW), _op(_RETURN, _error(errno.EPERM))]
    return [_op(_JUMP_EQUAL, number, 0, len(body)), *body]


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as (first, last), in order."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
