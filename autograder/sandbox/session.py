"""One running student process, seen from the judge: requests, limits, its end. Knows nothing of how it was started."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from autograder.errors import ProtocolError, SandboxError, SandboxStopped
from autograder.model import Verdict
from autograder.sandbox import endings
from autograder.sandbox.base import DATA, Limits, Message, Usage
from autograder.sandbox.card import Card, CardUse
from autograder.sandbox.cgroups import Group
from autograder.sandbox.output import Output
from autograder.sandbox.tree import Processes
from autograder.sandbox.watchdog import Watchdog
from autograder.sandbox.wire import Channel, ChannelClosed, FrameTooLarge, encode_request

_T = TypeVar("_T")
_KILL_S = 10.0  # the kernel needs milliseconds; more means it hangs in a device
_ending: set[threading.Thread] = set()


def settle() -> None:
    """Wait until every session that this process has ended is gone and freed."""
    for thread in list(_ending):
        if thread.ident is not None:  # it was started
            thread.join()


class Process(Protocol):
    """The process to reap."""

    def wait(self, seconds: float) -> int | None:
        """Its exit status in shell manner (128 + signal), or None if it still runs after `seconds`."""

    def kill(self) -> None:
        """Kill it, should the namespace's end not have taken it along."""

    def fault(self) -> str:
        """Once it has ended: why that was our fault, empty if it was not."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a launcher hands over; the session owns and frees all of it."""

    channel: socket.socket
    output: int
    process: Process
    tree: Processes
    writable: tuple[str, ...]  # one path of each writable file system
    group: Group | None = None  # the control group that all of it runs in
    data: str = DATA  # where the files of Limits.shown lie


class Session:
    """Implements SandboxSession over anything that was Started."""

    def __init__(self, started: Started, limits: Limits, card: Card | None = None) -> None:
        """card: the graphics card that the process was shown, if its memory is to be watched."""
        self._limits = limits
        self._process = started.process
        self._tree = started.tree
        self._writable = started.writable
        self._group = started.group
        self._card = card
        self.data = started.data
        self._channel = Channel(started.channel, limits.frame_mb << 20, limits.total_mb << 20)
        self._begun = self._measured = time.monotonic()
        self._number = 0
        self._stopped: SandboxStopped | None = None
        self._usage: Usage | None = None
        self._freed = False
        self._status: int | None = None
        self._lock = threading.Lock()
        self._watchdog: Watchdog | None = None
        self._output = Output(started.output, limits.output_kb << 10, self._flooded)

    @property
    def alive(self) -> bool:
        """False once the process has ended, was killed or broke the protocol."""
        return self._stopped is None and self._usage is None and self._process.wait(0) is None

    def wait_ready(self, seconds: float) -> Mapping[str, str]:
        """Wait for the harness's first event and begin to watch; its package versions.

        Raises SandboxError with what was printed if it does not come: no student code has run yet, so it is our fault.
        """
        try:
            message = self._channel.read(time.monotonic() + seconds)
            if (message.type, message.id, message.payload.get("event")) != ("event", 0, "ready"):
                raise ProtocolError("the first message must be the event 'ready'")
            self._tree.look_inside(self._writable)
        except TimeoutError as error:
            raise SandboxError(f"The harness was not ready within {seconds:g} s. {self._printed()}") from error
        except ChannelClosed as error:
            raise SandboxError(f"The harness ended before it was ready. {self._printed()}") from error
        except (ProtocolError, OSError) as error:
            raise SandboxError(f"The harness did not start as it should: {error}. {self._printed()}") from error
        use = CardUse(self._card, self._tree) if self._card is not None else None
        self._watchdog = Watchdog(self._tree, self._limits, self._stop, self._group, use)
        versions = message.payload.get("versions")
        return {str(k): str(v) for k, v in versions.items()} if isinstance(versions, dict) else {}

    def request(
        self,
        op: str,
        arguments: Mapping[str, Any],
        *,
        wall_s: float | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Mapping[str, Any]:
        """Send one request and return the response's payload; see SandboxSession.

        Whatever `on_event` raises ends the session and is passed on. A dead session raises what it died of.
        """
        if self._usage is not None and self._stopped is None:
            raise SandboxError("the session is closed")
        self._raise_if_stopped()
        seconds = self._limits.wall_s if wall_s is None else wall_s
        deadline = time.monotonic() + seconds
        self._number += 1
        try:
            pieces = encode_request(self._number, op, arguments)
        except ProtocolError as error:
            raise SandboxError(f"the request '{op}' can't be sent: {error}") from error
        self._guarded(seconds, lambda: self._ask(pieces, deadline))
        events = 0
        while True:
            message = self._guarded(seconds, lambda: self._next(deadline))
            if message.type == "response":
                self._stop_if_out_of_memory()
                return message.payload
            events += 1
            if events > self._limits.events:
                self._stop(*endings.too_many_events(self._limits.events))
                self._raise_if_stopped()
            if on_event is not None:
                try:
                    on_event(message)
                except BaseException:
                    self._stop(Verdict.GRADER_ERROR, "The grader stopped listening.", "")
                    raise

    def output(self) -> str:
        """What the process printed so far, capped, decoded with replacement."""
        return self._output.text()

    def measure(self) -> Usage:
        """What was used since this was asked last, or since the start."""
        now = time.monotonic()
        cpu, peak = self._watchdog.since_last() if self._watchdog is not None else (0.0, 0)
        taken, self._measured = now - self._measured, now
        return Usage(taken, cpu, peak / (1 << 20))

    def end(self) -> Usage:
        """Kill the whole process tree, and free everything in the background."""
        with self._lock:
            usage = self._kill()
        if not self._freed:
            thread = threading.Thread(target=self._close_aside, name="sandbox-end")
            _ending.add(thread)
            thread.start()
        return usage

    def close(self) -> Usage:
        """Kill the whole process tree and free everything. Safe to call twice."""
        with self._lock:
            usage = self._kill()
            if not self._freed:
                self._freed = True
                self._free()
            return usage

    def _close_aside(self) -> None:
        try:
            self.close()
        finally:
            _ending.discard(threading.current_thread())

    def _kill(self) -> Usage:
        if self._usage is None:
            if self._watchdog is not None:
                self._watchdog.stop()
            self._tree.kill()
            cpu = self._watchdog.cpu_s if self._watchdog else 0.0
            peak = self._watchdog.peak_memory if self._watchdog else 0
            self._usage = Usage(time.monotonic() - self._begun, cpu, peak / (1 << 20))
        return self._usage

    def _free(self) -> None:
        """Wait until all processes are gone. That takes as long as the kernel needs to take their memory apart."""
        if self._wait(_KILL_S / 2) is None:
            self._process.kill()
            self._wait(_KILL_S / 2)
        self._tree.wait_gone(_KILL_S / 2)
        self._channel.sock.close()  # first: what was sent through it may hold the other end of the output
        self._output.join(_KILL_S)
        self._tree.close()
        if self._group is not None:
            self._group.remove()

    def exit_status(self, seconds: float) -> int | None:
        """The exit status in shell manner, or None if the process still runs after `seconds`."""
        return self._wait(seconds)

    def _ask(self, pieces: list[bytes | memoryview], deadline: float) -> None:
        if not self._channel.quiet():
            raise ProtocolError("it spoke without being asked")
        self._channel.send(pieces, deadline)

    def _next(self, deadline: float) -> Message:
        message = self._channel.read(deadline)
        if message.id != self._number:
            raise ProtocolError(f"an answer to request {message.id}, where {self._number} was asked")
        return message

    def _guarded(self, seconds: float, step: Callable[[], _T]) -> _T:
        """Run one step of the conversation; whatever the student's side did wrong becomes SandboxStopped."""
        try:
            return step()
        except TimeoutError:
            self._stop(*endings.too_slow(seconds))
        except ChannelClosed:
            self._ended()
        except FrameTooLarge:
            self._stop(*endings.too_much(self._limits))
        except ProtocolError as error:
            self._stop(*endings.unreadable(str(error)))
        except OSError as error:
            raise SandboxError(f"the channel to the sandbox failed: {error}") from error
        self._raise_if_stopped()
        raise AssertionError("a stop always has a reason")

    def _ended(self) -> None:
        """The channel was closed: find out what the process died of."""
        status = self._wait(2.0)
        if fault := self._process.fault():
            self._stop(Verdict.GRADER_ERROR, fault, "")
            return
        self._stop_if_out_of_memory()
        watchdog = self._watchdog
        cpu_spent = watchdog is not None and watchdog.cpu_s > 0.97 * self._limits.cpu_s
        self._stop(*endings.of_status(status, cpu_spent, self._limits))

    def _stop_if_out_of_memory(self) -> None:
        """The kernel may have killed any of the processes, also one that the answer did not need."""
        if self._group is not None and self._group.ran_out():
            self._stop(*endings.out_of_memory(self._limits))
            self._raise_if_stopped()

    def _stop(self, verdict: Verdict, message: str, hint: str) -> None:
        """Note why (the first reason counts) and kill."""
        with contextlib.suppress(OSError):
            if self._stopped is None:
                self._stopped = SandboxStopped(verdict, message, hint)
            self._tree.kill()

    def _flooded(self) -> None:
        self._stop(*endings.flooded())

    def _raise_if_stopped(self) -> None:
        stopped = self._stopped
        if stopped is None:
            return
        if stopped.verdict is Verdict.GRADER_ERROR:
            raise SandboxError(stopped.message)
        raise SandboxStopped(stopped.verdict, stopped.message, stopped.hint)

    def _wait(self, seconds: float) -> int | None:
        if self._status is None:
            self._status = self._process.wait(seconds)
        return self._status

    def _printed(self) -> str:
        self._tree.kill()
        self._wait(_KILL_S)
        self._output.join(1.0)
        return f"It printed: {self.output().strip()[-2000:] or 'nothing'}"
