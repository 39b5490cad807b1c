"""The fork server: imports once, then makes one locked-in child for each request. It never reads a student's byte.

Runs inside an outer sandbox (autograder/sandbox/forkserver_process.py) as the only process there, with one thread and
with CAP_SYS_ADMIN over that sandbox's namespaces, so that each child can be born into a process number namespace of
its own and set up its own mounts. Requests come as one packet of JSON with three descriptors: the child's channel, its
output, and a status socket on which the server answers twice: at birth, with descriptors of the namespace's first
process and of the child, and at the end, with the exit status.
"""

from __future__ import annotations

import array
import base64
import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import re
import selectors
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import child
from . import lockdown as lock

# The first process of each child's namespace: it reaps orphans (by ignoring their ends), and its end is everybody's.
# It is started anew instead of forked, which costs no copy of the warm memory, and holds no right and no secret.
_INIT = ("/usr/bin/env", "--ignore-signal=CHLD", "/usr/bin/sleep", "infinity")
_CUDA = "/dev/nvidia-uvm"
_PACKET = 1 << 16
_HUGE = 2 << 20


def main() -> None:
    """Prepare, say so, serve until the judge hangs up. The one argument is the control socket's descriptor."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    config = json.loads(control.recv(_PACKET))
    warm_up(config["modules"])
    lock.clear_ambient_capabilities()
    settle()
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    card = has_touched_a_card()
    control.send(json.dumps({"threads": threads, "card": card}).encode())
    # A fork copies one thread, and locks that the others hold for ever; a child of a process that has started CUDA can
    # not use a card.
    if threads == 1 and not card:
        Server(control, base64.b64decode(config["filter"])).serve()


def warm_up(modules: Iterable[str]) -> None:
    """Import what submissions use, and the harness; take one optimiser step, which imports a third of torch."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    package = importlib.import_module("harness")
    for found in pkgutil.walk_packages(package.__path__, "harness."):
        if not found.name.startswith(("harness.__main__", "harness.server")):
            importlib.import_module(found.name)
    for name in ("warm", "versions"):  # what a harness would otherwise do in each child; it keeps the answers
        getattr(sys.modules.get("harness.main"), name, int)()
    if torch := sys.modules.get("torch"):
        _train_a_little(torch)


def has_touched_a_card() -> bool:
    """Has anything that was imported started CUDA in this process? It opens this node, which asking NVML does not."""
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{number}") == _CUDA:  # noqa: PTH115
                return True
    torch: Any = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _train_a_little(torch: Any) -> None:
    """What a first training sets up, done once for all children."""
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
    optimiser = torch.optim.Adam(model.parameters())
    loss = torch.nn.functional.cross_entropy(model(torch.randn(2, 1, 8, 8)), torch.tensor([0, 1]))
    if not torch.backends.cuda.is_built():  # there, a backward pass starts a thread for each card
        loss.backward()
    optimiser.step()


def settle() -> None:
    """Make the memory cheap to copy: nothing for the collector to touch, and page tables as short as they get."""
    gc.collect()
    gc.freeze()
    gc.disable()
    with open("/proc/self/maps", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        lines = file.read().splitlines()
    for line in lines:
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?$", line)
        if found:
            first, end = (int(found[1], 16) + _HUGE - 1) & -_HUGE, int(found[2], 16) & -_HUGE
            for place in range(first, end, _HUGE):  # a kernel that can't, or a hole in the memory, does no harm
                lock.libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(_HUGE), lock.MADV_COLLAPSE)


@dataclass
class Job:
    """A child that runs: its process, its namespace's first process, and where its end is told."""

    init: int
    init_pidfd: int
    process: int
    pidfd: int
    status: socket.socket


class Server:
    """Answers requests on the control socket and tells of each child's end."""

    def __init__(self, control: socket.socket, filter_code: bytes) -> None:
        self._control = control
        self._filter = filter_code
        self._jobs = 0
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the judge has closed its end and the last child is gone."""
        while self._control.fileno() >= 0 or self._jobs:
            for key, _ in self._selector.select():
                if isinstance(key.data, Job):
                    self._ended(key.data, key.fd)
                    continue
                packet, descriptors = self._receive()
                if packet:
                    self._answer(json.loads(packet), *descriptors)
                else:
                    self._selector.unregister(self._control)
                    self._control.close()

    def _receive(self) -> tuple[bytes, list[int]]:
        """One request and its descriptors; nothing at the end."""
        received = array.array("i")
        packet, extra, _, _ = self._control.recvmsg(_PACKET, socket.CMSG_SPACE(3 * received.itemsize))
        for level, kind, data in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(data[: len(data) - len(data) % received.itemsize])
        for descriptor in received:
            os.set_inheritable(descriptor, False)
        return packet, list(received)

    def _answer(self, request: Mapping[str, Any], channel: int, output: int, status: int) -> None:
        """Make a child and hand out its descriptors; an error is told and forgotten."""
        teller = socket.socket(fileno=status)
        try:
            job = self._fork(request, channel, output, teller)
        except OSError as error:
            _tell(teller, {"error": str(error)})
            teller.close()
            return
        finally:
            os.close(channel)
            os.close(output)
        rights = array.array("i", [job.init_pidfd, job.pidfd])
        _tell(teller, {}, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        for descriptor in (job.init_pidfd, job.pidfd):
            self._selector.register(descriptor, selectors.EVENT_READ, job)
        self._jobs += 1

    def _fork(self, request: Mapping[str, Any], channel: int, output: int, status: socket.socket) -> Job:
        """A new process number namespace with two processes in it: its first, and the harness-to-be."""
        lock.unshare(lock.NEWPID)
        try:
            init = os.posix_spawn(_INIT[0], _INIT, {}, file_actions=self._init_files())
            try:
                process = os.fork()
            except OSError:
                os.kill(init, signal.SIGKILL)
                os.waitpid(init, 0)
                raise
            if process == 0:
                child.become(request, self._filter, channel, output)
        finally:
            lock.enter(self._own, lock.NEWPID)
        return Job(init, os.pidfd_open(init), process, os.pidfd_open(process), status)

    @staticmethod
    def _init_files() -> list[tuple[Any, ...]]:
        return [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in range(3)]

    def _ended(self, job: Job, descriptor: int) -> None:
        """One of the two processes ended: the other has to, and the judge hears how the harness did."""
        if descriptor == job.pidfd:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(job.init_pidfd, signal.SIGKILL)
            _, ending, used = os.wait4(job.process, 0)
            code = os.waitstatus_to_exitcode(ending)
            seconds = used.ru_utime + used.ru_stime
            _tell(job.status, {"status": code if code >= 0 else 128 - code, "cpu_s": seconds, "kb": used.ru_maxrss})
            job.status.close()
            job.process = 0
        else:
            os.waitpid(job.init, 0)
            self._jobs -= 1
        self._selector.unregister(descriptor)
        os.close(descriptor)


def _tell(teller: socket.socket, message: Mapping[str, Any], extra: list[Any] | None = None) -> None:
    """Send without waiting; a judge that hung up doesn't need to know."""
    with contextlib.suppress(OSError):
        teller.sendmsg([json.dumps(message).encode()], extra or [], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
