"""A sandbox inside a stopwatch: what of a grading's time is the sandbox's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.sandbox.base import Limits, Message, Sandbox, SandboxSession, Usage
from autograder.sandbox.forkserver import ForkServerSandbox

PARTS = ("open", "close", "wire", "others")
_TICKS = os.sysconf("SC_CLK_TCK")
_TIMES = slice(11, 15)  # of the words of /proc/N/stat after the name: its own and its children's, user and system


class TimedSandbox:
    """Implements Sandbox with another one. seconds: by part.

    `open`, `close` and `others` (measure, output, …) are time that the grading waited. Of a request it is `wire`: the
    CPU that the grading's thread spent on it, so neither the student's work nor what the judge does with an event.
    """

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner
        self.name = inner.name
        self.seconds = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def timing(self, part: str, clock: Callable[[], float] = time.perf_counter, sign: int = 1) -> Iterator[None]:
        """Count the time that the block takes."""
        begun = clock()
        try:
            yield
        finally:
            self.seconds[part] += sign * (clock() - begun)

    def open(self, limits: Limits) -> TimedSession:
        """Start a process."""
        with self.timing("open"):
            return TimedSession(self._inner.open(limits), self)

    def warning(self) -> str:
        """The other one's."""
        with self.timing("others"):
            return self._inner.warning()

    def runtime(self) -> Mapping[str, str]:
        """The other one's."""
        with self.timing("others"):
            return self._inner.runtime()

    def close(self) -> None:
        """Free what is shared between sessions."""
        self._inner.close()


class TimedSession:
    """Implements SandboxSession with another one; counts in its sandbox's seconds."""

    def __init__(self, inner: SandboxSession, sandbox: TimedSandbox) -> None:
        self._inner = inner
        self._sandbox = sandbox
        self.data = inner.data

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        with self._sandbox.timing("others"):
            return self._inner.alive

    def request(
        self,
        op: str,
        arguments: Mapping[str, Any],
        *,
        wall_s: float | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Mapping[str, Any]:
        """Ask the other one; what `on_event` takes is the judge's."""

        def judged(message: Message) -> None:
            assert on_event is not None
            with self._sandbox.timing("wire", time.thread_time, -1):
                on_event(message)

        with self._sandbox.timing("wire", time.thread_time):
            return self._inner.request(op, arguments, wall_s=wall_s, on_event=judged if on_event else None)

    def output(self) -> str:
        """The other one's."""
        with self._sandbox.timing("others"):
            return self._inner.output()

    def measure(self) -> Usage:
        """The other one's."""
        with self._sandbox.timing("others"):
            return self._inner.measure()

    def end(self) -> Usage:
        """Kill the whole process tree; what that takes after this is not waited for."""
        with self._sandbox.timing("close"):
            return self._inner.end()

    def close(self) -> Usage:
        """Kill the whole process tree."""
        with self._sandbox.timing("close"):
            return self._inner.close()


def server_cpu(sandbox: Sandbox) -> tuple[float, float] | None:
    """CPU seconds so far of the fork server itself, and of the children that it has waited for, to 10 ms.

    None if there is no such server.
    """
    server = sandbox.server if isinstance(sandbox, ForkServerSandbox) else None
    if server is None:
        return None
    process = Path(f"/proc/{server.number}")
    words = (process / "stat").read_text().rpartition(") ")[2].split()
    user, system, *children = (int(word) / _TICKS for word in words[_TIMES])
    try:
        own = int((process / "schedstat").read_text().split()[0]) / 1e9  # exact, and it has one thread
    except OSError:  # a kernel without it
        own = user + system
    return own, sum(children)
