"""One fork server, seen from the judge: starting it, asking it for children, its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox.base import DATA
from autograder.sandbox.cgroups import Group
from autograder.sandbox.launch import (
    SHM,
    TMP,
    WORK,
    Plan,
    enclosure,
    explain,
    first_process,
    lock_config,
    read_all,
    run_first,
)
from autograder.sandbox.output import Output
from autograder.sandbox.session import Started
from autograder.sandbox.tree import Tree

_FORK_S = 20.0
_END_S = 10.0
_LOG_BYTES = 1 << 16
_PACKET = 1 << 16
# How the C library of server and children asks for memory. A tensor's memory is kept for the next tensor, where the
# default gives each large piece back and takes fresh pages for the next one, and comes in large pages: a young process
# then spends a tenth less time, most of it in page faults.
MEMORY = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in {
        "hugetlb": 1,
        "mmap_threshold": 32 << 20,
        "trim_threshold": 256 << 20,
        "top_pad": 32 << 20,
    }.items()
)
SHELF = "/opt/shelf"  # where the server sees the folders of all data sets; a child sees one of them, elsewhere


def recipe(plan: Plan) -> bytes:
    """What the server is told about a child. Equal recipes make equal children."""
    config = lock_config(plan, 3)
    wanted = ("work", "temporary", "shared", "disk", "inodes", "shm", "writable", "environment")
    request = {key: config[key] for key in wanted} | {"threads": plan.limits.threads}
    request |= {"shelf": SHELF if SHELF in plan.shows else "", "data": DATA}
    request["shown"] = plan.limits.shown.name if plan.limits.shown else ""
    # The namespace's first process belongs to another user namespace, so it does not count.
    request["limits"] = {**config["limits"], "NPROC": plan.limits.processes}
    return json.dumps(request).encode()


@dataclass
class Child:
    """A forked child's harness process; implements session.Process. Its end is told by the server."""

    status: socket.socket
    pidfd: int
    _ending: int | None = None
    _fault: str = ""

    def wait(self, seconds: float) -> int | None:
        """Exit status in shell manner, or None if it still runs after `seconds`."""
        if self._ending is None and _readable(self.status, seconds):
            packet = b""
            with contextlib.suppress(OSError):
                packet = self.status.recv(_PACKET)
            if packet:
                self._ending = int(json.loads(packet)["status"])
            else:
                self._fault, self._ending = "The fork server ended while a submission ran.", 128 + signal.SIGKILL
            self.status.close()
            os.close(self.pidfd)
        return self._ending

    def kill(self) -> None:
        """Kill the process, should its namespace's end not have taken it along."""
        if self._ending is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def fault(self) -> str:
        """Why its end is our fault; empty if it isn't."""
        return self._fault


@dataclass
class ForkServer:
    """A running server. `children` counts those it was asked for."""

    popen: subprocess.Popen[bytes]
    tree: Tree
    control: socket.socket
    output: Output
    born: float = field(default_factory=time.monotonic)
    children: int = 0
    due: bool = False  # its successor is being started

    def wait_up(self, seconds: float) -> None:
        """Wait until it has imported everything. Raises SandboxUnavailable with what it printed, SandboxError."""
        packet = b""
        with contextlib.suppress(ConnectionError):
            if not _readable(self.control, seconds):
                raise SandboxError(f"The fork server was not ready within {seconds:g} s.")
            packet = self.control.recv(_PACKET)
        if not packet:
            self.kill()
            raise SandboxUnavailable(explain(self.output.text() or "the fork server ended at once"))
        said = json.loads(packet)
        threads = said["threads"]
        if threads != 1:
            raise SandboxError(
                f"The fork server has {threads} threads after its imports and can't be forked safely. Set "
                "AUTOGRADER_SANDBOX=bubblewrap, or take the package that starts threads out of the runtime."
            )
        if said["card"]:
            raise SandboxError(
                "The fork server has started CUDA with its imports, and its children could not use the card. Set "
                "AUTOGRADER_SANDBOX=bubblewrap, or take the package that does this out of the runtime."
            )

    @property
    def alive(self) -> bool:
        """False once it has ended."""
        return self.tree.pidfd >= 0 and not _readable(self.tree.pidfd, 0)

    @property
    def number(self) -> int:
        """Its process number, seen from here."""
        return self.tree.init

    def fork(self, recipe: bytes, group: Group | None = None) -> Started:
        """A child that is locking itself in, in `group` if one is given. Raises SandboxError."""
        self.children += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        status, status_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        output, output_end = os.pipe()
        try:
            socket.send_fds(self.control, [recipe], [theirs.fileno(), output_end, status_end.fileno()])
        except OSError as error:
            _close(ours, status, output)
            raise SandboxError(f"The fork server could not be asked: {error}") from error
        finally:
            _close(theirs, status_end, output_end)
        init = pidfd = -1
        try:
            init, pidfd = _birth(status)
            number = _number(pidfd)
            if group is not None:  # while only our code runs in it
                group.add(number)
            tree = Tree(_number(init), number)
        except (OSError, SandboxError) as error:
            if init >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(init, signal.SIGKILL)
                _close(pidfd)
            _close(ours, status, output)
            raise SandboxError(f"The fork server made no child: {error}") from error
        finally:
            if init >= 0:
                _close(init)
        return Started(ours, output, Child(status, pidfd), tree, (WORK, SHM), group)

    def retire(self) -> None:
        """Let it end once its last child has."""
        self.control.close()

    def kill(self) -> None:
        """End it and all its children now, from the inside out, so that each process is waited for by its parent.

        Safe to call twice.
        """
        if self.tree.pidfd < 0:
            return
        self.control.close()
        self.tree.kill()
        try:
            self.popen.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.output.join(_END_S)
        self.tree.close()


def start(plan: Plan, modules: Sequence[str]) -> ForkServer:
    """Start a server; `wait_up` tells when it is ready. Raises SandboxUnavailable.

    plan.limits is not used. modules: what to import beside the harness; those that are missing are left out. The
    calling thread must outlive the server: the kernel ends the sandbox with the thread that started it.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    output, output_end = os.pipe()
    info, info_end = os.pipe()
    try:
        popen = subprocess.Popen(
            _command(plan, theirs.fileno(), info_end),
            stdin=subprocess.DEVNULL,
            stdout=output_end,
            stderr=output_end,
            env={},  # what bubblewrap is started with stays readable in there
            cwd="/",
            pass_fds=(theirs.fileno(), info_end),
        )
    except BaseException as error:
        _close(ours, output, info)
        if isinstance(error, OSError):
            raise SandboxUnavailable(f"bubblewrap could not be started: {error}") from error
        raise
    finally:
        _close(theirs, output_end, info_end)
    try:
        for packet in _packets(plan, modules):
            ours.send(packet)
        return ForkServer(popen, Tree(first_process(info)), ours, Output(output, _LOG_BYTES, lambda: None))
    except (OSError, ValueError, SandboxError) as error:
        popen.kill()
        popen.wait(_END_S)
        said = read_all(output)
        _close(ours, output)
        raise SandboxUnavailable(explain(said or str(error))) from error
    finally:
        _close(info)


def _command(plan: Plan, control: int, info: int) -> list[str]:
    arguments = [*enclosure(plan), "--tmpfs", TMP, "--info-fd", str(info), "--as-pid-1"]
    return [*arguments, "--", plan.runtime.bare, "-I", "-S", "-c", run_first("outer"), str(control)]


def _packets(plan: Plan, modules: Sequence[str]) -> Iterator[bytes]:
    """What harness/server/outer.py and server.py read when they start."""
    config = lock_config(plan, 3)
    environment = {**config["environment"], "GLIBC_TUNABLES": MEMORY}
    environment["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # else asking for CUDA spoils a fork
    command = [plan.runtime.python, "-B", "-s", "-P", "-u", "-c", run_first("server")]
    yield json.dumps({"files": config["files"], "command": command, "environment": environment}).encode()
    yield json.dumps({"filter": config["filter"], "modules": list(modules)}).encode()


def _birth(status: socket.socket) -> tuple[int, int]:
    """Descriptors of a new child's namespace's first process and of the child. Raises SandboxError, OSError."""
    if not _readable(status, _FORK_S):
        raise SandboxError(f"no answer within {_FORK_S:g} s")
    packet, descriptors, _, _ = socket.recv_fds(status, _PACKET, 2)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    if len(descriptors) != 2:
        _close(*descriptors)
        raise SandboxError(json.loads(packet).get("error", "a strange answer") if packet else "it ended")
    return descriptors[0], descriptors[1]


def _number(pidfd: int) -> int:
    """The process number behind a descriptor. Raises OSError if the process is gone."""
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise ProcessLookupError("the process ended at once")


def _readable(source: socket.socket | int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _close(*things: socket.socket | int) -> None:
    for thing in things:
        if isinstance(thing, int):
            os.close(thing)
        else:
            thing.close()
