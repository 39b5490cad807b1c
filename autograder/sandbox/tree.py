"""What all processes of one session use together, and their end.

A `Tree` reads through the sandbox's own /proc. Its descriptors are opened while only our code runs in there; later
nothing the student does can point them elsewhere. family.py is for sessions without a namespace.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Only what is asked for below: a grading has dozens of looks, and most lines of a status are of no use to one.
_WANTED = ("Threads", "RssAnon", "RssShmem", "VmSwap", "VmPTE", "Pss_Anon", "Pss_Shmem", "SwapPss")
_FIELD = re.compile(rf"^({'|'.join(_WANTED)}):[ \t]+(\d+)", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")
_FEW_SOCKETS = 32  # of a whole tree; honest work stays below, and what they hold is then not worth counting
_DATAGRAMS = 11  # a datagram socket queues net.unix.max_dgram_qlen + 1 of them, from as many senders
_LIST_BYTES = 16 << 20  # of the kernel's list of sockets; far more sockets than any limit on memory lets pass
_MOST_SHARED = 8  # times the limit: so often may pages be shared, because counting them fairly takes time
_RECOUNT_S = 0.5  # so long a fair count is believed while nothing grows
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. memory: bytes of anonymous, shared memory, page tables, files in memory. tasks: processes, threads."""

    cpu_s: float
    memory: int
    tasks: int


@cache
def _socket_bytes() -> int:
    """What a socket can hold at most: the kernel doubles what it asks for."""
    return 2 * int(Path("/proc/sys/net/core/wmem_max").read_text())


class Processes(ABC):
    """All processes of a session below a first one, `init`, which ends last. Close it when done."""

    def __init__(self, init: int) -> None:
        """init: process number, seen from here. Raises OSError if it is gone."""
        self._proc = -1
        self._sockets = -1
        self._counted = (0, 0, 0.0)  # at the last fair count: the upper bound, what was found, and when
        self._mounts: list[int] = []
        self.init = init
        self.pidfd = os.pidfd_open(init)

    @abstractmethod
    def look_inside(self, mounts: tuple[str, ...]) -> None:
        """Find out where to look from now on. Call when the harness is up and before any student code. Raises OSError.

        mounts: one path of each writable file system whose content counts as memory.
        """

    @abstractmethod
    def kill(self) -> None:
        """Have every process end. Does not wait; safe to call from any thread, and again."""

    @abstractmethod
    def owns(self, number: int) -> bool:
        """Is the process of this number, seen from here, one of them?"""

    @abstractmethod
    def _numbers(self) -> list[str]:
        """The processes there are, by their numbers in `_proc`. Raises OSError when all are gone."""

    def sample(self, memory_limit: int) -> Sample:
        """Look once. Memory is a cheap upper bound below the limit; near it shared pages are counted fairly.

        A fair count is slow, so it serves for a while, with all growth since then added. Beyond _MOST_SHARED times the
        limit the upper bound counts: a count that takes seconds would let memory run away meanwhile.
        """
        cpu, tasks, private, shared = 0.0, 0, 0, 0
        numbers = self._numbers()
        for number in numbers:
            with contextlib.suppress(OSError, ValueError, IndexError, KeyError):
                cpu += self._cpu(number)
                status = self._status(number)
                tasks += status["Threads"]
                private += sum(status.get(name, 0) for name in ("RssAnon", "VmSwap", "VmPTE"))
                shared += status.get("RssShmem", 0)
        files = sum(self._used(mount) for mount in self._mounts)
        memory = private * 1024 + max(shared * 1024, files)
        if memory_limit < memory <= _MOST_SHARED * memory_limit:
            memory = self._fairly(memory, memory_limit, numbers, files)
        return Sample(cpu, memory + self._in_sockets(), tasks)

    def wait_gone(self, seconds: float) -> bool:
        """True once no process is left."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        """Close all descriptors."""
        for descriptor in (self.pidfd, self._proc, self._sockets, *self._mounts):
            if descriptor >= 0:
                os.close(descriptor)
        self.pidfd, self._proc, self._sockets, self._mounts = -1, -1, -1, []

    def _fairly(self, bound: int, limit: int, numbers: list[str], files: int) -> int:
        """The tree's memory with shared pages counted once; from the last count where that is recent and safe."""
        before, found, at = self._counted
        grown = found + bound - before
        if bound >= before > 0 and grown <= limit and time.monotonic() - at < _RECOUNT_S:
            return grown
        found = self._proportional(numbers, files)
        self._counted = (bound, found, time.monotonic())
        return found

    def _proportional(self, numbers: list[str], files: int) -> int:
        """The tree's memory with every shared page counted once. A mapped file of the sandbox is not counted twice."""
        private = shared = 0
        for number in numbers:
            with contextlib.suppress(OSError, ValueError):
                private += self._status(number).get("VmPTE", 0)
                try:
                    rollup = self._fields(f"{number}/smaps_rollup")
                    private += rollup["Pss_Anon"] + rollup.get("SwapPss", 0)
                    shared += rollup.get("Pss_Shmem", 0)
                except (PermissionError, ProcessLookupError, KeyError):  # rather too much than nothing
                    status = self._status(number)
                    private += status.get("RssAnon", 0)
                    shared += status.get("RssShmem", 0)
        return private * 1024 + max(shared * 1024, files)

    def _in_sockets(self) -> int:
        """What the tree's sockets can hold at most, which no process's own figures show; 0 while there are few.

        The list has all sockets of the namespace, also those that wait to be accepted or travel through another.
        """
        if self._sockets < 0:
            return 0
        os.lseek(self._sockets, 0, os.SEEK_SET)
        kinds: list[bytes] = []
        listing = b""
        read = 0
        while read < _LIST_BYTES and (piece := os.read(self._sockets, 1 << 16)):
            read += len(piece)
            *lines, listing = (listing + piece).split(b"\n")
            kinds += [words[4] for line in lines if len(words := line.split(maxsplit=5)) > 4]
        count = sum(_DATAGRAMS if kind == b"0002" else 1 for kind in kinds[1:])
        return _socket_bytes() * max(count - _FEW_SOCKETS, 0)

    def _status(self, number: str) -> dict[str, int]:
        """A process's status. If its first thread has ended, the memory stands in that of the others."""
        status = self._fields(f"{number}/status")
        if "RssAnon" in status or status["Threads"] < 2:
            return status
        folder = os.open(f"{number}/task", DIRECTORY, dir_fd=self._proc)
        try:
            threads = os.listdir(folder)  # noqa: PTH208  a descriptor
        finally:
            os.close(folder)
        for thread in threads:
            with contextlib.suppress(OSError):
                found = self._fields(f"{number}/task/{thread}/status")
                if "RssAnon" in found:
                    return found
        return status

    def _cpu(self, number: str) -> float:
        fields = self._read(f"{number}/stat").rpartition(") ")[2].split()
        return sum(int(field) for field in fields[11:15]) / _TICKS  # its own, and of children it has waited for

    def _fields(self, path: str) -> dict[str, int]:
        return {name: int(value) for name, value in _FIELD.findall(self._read(path))}

    def _read(self, path: str) -> str:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.read(descriptor, 16384).decode("ascii", "replace")
        finally:
            os.close(descriptor)

    @staticmethod
    def _used(mount: int) -> int:
        use = os.fstatvfs(mount)
        return (use.f_blocks - use.f_bfree) * use.f_frsize


class Tree(Processes):
    """The process tree under one namespace's init."""

    def __init__(self, init: int, harness: int | None = None) -> None:
        """init: process number, seen from here, of the first process of the namespace. Raises OSError.

        harness: the process that becomes the student's, if it is not a child of init.
        """
        super().__init__(init)
        self.harness = harness
        self._namespace = ""
        numbers = re.search(r"^NSpid:.*\t(\d+)$", Path(f"/proc/{init}/status").read_text(), re.MULTILINE)
        if numbers is None or numbers[1] != "1":  # the process ended, and its number belongs to another by now
            os.close(self.pidfd)
            raise OSError(f"process {init} is no sandbox's first process")

    def look_inside(self, mounts: tuple[str, ...]) -> None:
        """Open the sandbox's /proc, list of sockets and writable file systems. Call when the harness is up.

        Raises OSError.
        """
        children = Path(f"/proc/{self.init}/task/{self.init}/children").read_text().split()
        if self.harness is None and not children:
            raise OSError("the sandbox has no process")
        process = f"/proc/{self.harness or children[0]}"
        root = f"{process}/root"
        self._proc = os.open(f"{root}/proc", DIRECTORY)
        self._sockets = os.open(f"{process}/net/unix", os.O_RDONLY | os.O_CLOEXEC)
        self._mounts = [os.open(f"{root}{path}", DIRECTORY) for path in mounts]
        self._namespace = self._namespace_of(self.init)

    def owns(self, number: int) -> bool:
        """Is it in the same namespace? Student code can make no further one."""
        with contextlib.suppress(OSError):
            return self._namespace_of(number) == self._namespace
        return False

    @staticmethod
    def _namespace_of(number: int) -> str:
        return os.readlink(f"/proc/{number}/ns/pid")  # noqa: PTH115  no file

    def kill(self) -> None:
        """Kill the namespace's init, and with it, by the kernel, every process inside."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def _numbers(self) -> list[str]:
        return [name for name in os.listdir(self._proc) if name.isdigit()]  # noqa: PTH208  a descriptor
