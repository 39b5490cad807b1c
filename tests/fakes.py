"""A sandbox without a process: it holds the real protocol and does what the upload's comments say.

A line `# fake OP ACTION` in the uploaded file decides what happens at that operation (docs/wire.md); ACTION is one of

    sleep SECONDS    answer late
    nan              answer with NaN (forward)
    missing          find no entry point (resolve)
    raise WORDS      the student's code raised
    stop VERDICT     the process broke a limit and is gone
    break WORDS      our side failed (SandboxError)
    leave FILE       write the process id to FILE, so that a test knows where a job runs

Operations without a line succeed at once. Worker processes use it with AUTOGRADER_SANDBOX=tests.fakes:make_sandbox.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograder.errors import SandboxError, SandboxStopped
from autograder.model import Verdict
from autograder.sandbox.base import DATA, Limits, Message, Usage


class FakeSession:
    """Plays one student process."""

    def __init__(self) -> None:
        self.alive = True
        self.data = DATA
        self._script: list[tuple[str, str, str]] = []

    def request(
        self,
        op: str,
        arguments: Mapping[str, Any],
        *,
        wall_s: float | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Mapping[str, Any]:
        """Do what the script says, then answer."""
        if not self.alive:
            raise SandboxError("this session is over")
        if op == "load":
            self._read_script(arguments["files"])
        for at, action, argument in self._script:
            if at == op:
                answer = self._act(action, argument, wall_s)
                if answer is not None:
                    return answer
        return {"status": "ok", "result": self._result(op, arguments)}

    def _read_script(self, files: list[dict[str, Any]]) -> None:
        text = "\n".join(bytes(file["data"]).decode() for file in files)
        for line in text.splitlines():
            if line.startswith("# fake "):
                _, _, op, action, *argument = line.split(" ", 4)
                self._script.append((op, action, " ".join(argument)))

    def _act(self, action: str, argument: str, wall_s: float | None) -> Mapping[str, Any] | None:
        if action == "sleep":
            time.sleep(min(float(argument), wall_s or 1e9))
            if wall_s is not None and float(argument) > wall_s:
                self._end(Verdict.TIMED_OUT)
        elif action == "stop":
            self._end(Verdict(argument))
        elif action == "break":
            raise SandboxError(argument or "the sandbox broke")
        elif action == "leave":
            Path(argument).write_text(str(os.getpid()))
        elif action == "raise":
            return {"status": "error", "error": {"kind": "exception", "type": "ValueError", "message": argument}}
        return None

    def _end(self, verdict: Verdict) -> None:
        self.alive = False
        raise SandboxStopped(verdict, f"Your program ended: {verdict.value}.")

    def _said(self, op: str, action: str) -> bool:
        return any(line[:2] == (op, action) for line in self._script)

    def _result(self, op: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if op == "resolve":
            found = not self._said("resolve", "missing")
            return {
                name: {"found": entry["names"][0] if found else None, "how": "name"}
                for name, entry in arguments["entries"].items()
            }
        if op == "construct":
            return {"handle": "h1", "class_name": "Net", "how": "name"}
        if op == "forward":
            fill = np.nan if self._said("forward", "nan") else 1.0
            output = np.full((2, 4), fill, np.float32)
            return {"outputs": [output] * arguments.get("repeat", 1), "output_type": "Tensor"}
        return {}

    def output(self) -> str:
        """What it printed."""
        return "hello from the fake\n"

    def measure(self) -> Usage:
        """Nothing was used."""
        return Usage(0.25, 0.0, 0.0)

    def end(self) -> Usage:
        """End it."""
        return self.close()

    def close(self) -> Usage:
        """End it."""
        self.alive = False
        return Usage(0.0, 0.0, 0.0)


class FakeSandbox:
    """Opens fake sessions."""

    name = "fake"

    def open(self, limits: Limits) -> FakeSession:
        """A new session."""
        return FakeSession()

    def warning(self) -> str:
        """Always: nothing is isolated here."""
        return "No sandbox: this was a test."

    def runtime(self) -> Mapping[str, str]:
        """No packages."""
        return {"python": "0"}

    def close(self) -> None:
        """Nothing to free."""


def make_sandbox(_settings: object) -> FakeSandbox:
    """What AUTOGRADER_SANDBOX=tests.fakes:make_sandbox names."""
    return FakeSandbox()
