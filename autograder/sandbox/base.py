"""The sandbox protocol: what every implementation must offer. tests/conformance holds each of them to it.

A session is one student process with the harness in it. The judge sends one request at a time and reads events and
one response (docs/wire.md). Whatever goes wrong on the student's side ends the session with `SandboxStopped`; what
goes wrong on our side is a `SandboxError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]
DATA = "/data"  # inside a sandbox that isolates: the files that a data set shows to student code, read-only


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may use. All are enforced from outside the student's process.

    wall_s bounds one request unless the request names its own; cpu_s the whole session. shown: a folder (from
    specs/shown.py) to read, at the session's `data`. preload: what should be imported already where that can be, by
    names of forkserver.PRELOAD.
    """

    wall_s: float = 60.0
    cpu_s: float = 300.0
    memory_mb: int = 2048
    processes: int = 64
    disk_mb: int = 256
    inodes: int = 4096
    output_kb: int = 256
    frame_mb: int = 64  # one frame from the student's side
    total_mb: int = 512  # all frames of a session from the student's side
    events: int = 1000  # progress events in one request
    threads: int = 1
    gpu_memory_mb: int | None = None  # of the card, where the sandbox shows one; None: all there is
    shown: Path | None = None
    preload: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One decoded frame. `payload` is the JSON header with every {"$array": i} replaced by its array."""

    type: str  # "event" | "response"
    id: int
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session used, as far as it could be measured."""

    wall_s: float
    cpu_s: float
    peak_memory_mb: float


class SandboxSession(Protocol):
    """One running student process. data: where it finds the files of Limits.shown."""

    data: str

    @property
    def alive(self) -> bool:
        """False once the process has ended, was killed or broke the protocol."""

    def request(
        self,
        op: str,
        arguments: Mapping[str, Any],
        *,
        wall_s: float | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Mapping[str, Any]:
        """Send one request, hand each event to `on_event`, return the response's payload.

        arguments: a JSON-able tree that may hold numpy arrays and bytes. The payload has `status` "ok" (with
        `result`) or "error" (with `error`). Raises SandboxStopped when the process is gone afterwards, SandboxError
        when our side failed.
        """

    def output(self) -> str:
        """What the process printed so far, capped, decoded with replacement."""

    def measure(self) -> Usage:
        """What was used since this was asked last, or since the start. Safe to call on a session that has ended."""

    def end(self) -> Usage:
        """Kill the whole process tree, and free everything in the background: who waits for a report need not wait.

        Safe to call twice, and `close` may follow.
        """

    def close(self) -> Usage:
        """Kill the whole process tree and free everything. Safe to call twice."""


class Sandbox(Protocol):
    """Starts sessions."""

    name: str

    def open(self, limits: Limits) -> SandboxSession:
        """Start a process with the harness ready for `load`. Raises SandboxError, SandboxUnavailable."""

    def warning(self) -> str:
        """Empty if the sandbox isolates fully; else one sentence for the report."""

    def runtime(self) -> Mapping[str, str]:
        """Package versions of the runtime, for the receipt: {"python": "3.11.7", "torch": "2.13.0", ...}."""

    def close(self) -> None:
        """Free what is shared between sessions."""


Arrays = Sequence[Array]
