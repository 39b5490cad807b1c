"""The sandbox with the harness it is made for: a cold start with torch, a model, and a student who misbehaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from autograder.config import settings
from autograder.errors import SandboxStopped
from autograder.model import Verdict
from autograder.sandbox import NAMES, TRUST, WEAK, open_sandbox
from autograder.sandbox.base import Limits, Sandbox, SandboxSession

SUBMISSION = b"""
import os
import torch.nn as nn

print("hello from the submission")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(4, 3)

    def forward(self, x):
        return self.line(x)


def quits():
    os._exit(0)


def spins():
    while True:
        pass


def speaks(number):
    os.write(3, b"AGW1 this is my score")
    return number
"""


@pytest.fixture(scope="module", params=(*NAMES, WEAK))
def real_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every implementation in turn, as the settings name it."""
    made = open_sandbox(settings().model_copy(update={"sandbox": request.param, "allow_weak_sandbox": TRUST}))
    yield made
    made.close()


@pytest.fixture
def session(real_sandbox: Sandbox) -> Iterator[SandboxSession]:
    """A session with the submission loaded."""
    opened = real_sandbox.open(Limits())
    files = [{"name": "submission.py", "data": SUBMISSION}]
    ask(opened, "load", files=files, main="submission.py", mode="definitions", seed=0)
    entries: dict[str, Any] = {"model": {"kind": "model", "names": ["Net"], "factories": []}}
    for name in ("quits", "spins", "speaks"):
        entries[name] = {"kind": "function", "names": [name], "factories": []}
    found = ask(opened, "resolve", entries=entries)
    assert all(entry["found"] for entry in found.values()), found
    yield opened
    opened.close()


def ask(session: SandboxSession, op: str, wall_s: float | None = None, **arguments: Any) -> Mapping[str, Any]:
    """The result of a request that must succeed."""
    payload = session.request(op, arguments, wall_s=wall_s)
    assert payload["status"] == "ok", payload
    result: Mapping[str, Any] = payload["result"]
    return result


def call(session: SandboxSession, entry: str, *arguments: Any, wall_s: float | None = None) -> Any:
    """What a function of the submission returned."""
    return ask(session, "call", wall_s, entry=entry, arguments=list(arguments), keywords={})["value"]


def test_a_model_answers_and_a_loop_ends(session: SandboxSession) -> None:
    handle = ask(session, "construct", entry="model", seed=1, arguments={})["handle"]
    ask(session, "put", name="x", value=np.ones((2, 4), np.float32))
    asked = {"handle": handle, "inputs": "x", "train": False, "batch_size": None, "repeat": 1, "seed": 1}
    (outputs,) = ask(session, "forward", **asked)["outputs"]
    assert outputs.shape == (2, 3)
    assert np.isfinite(outputs).all()
    with pytest.raises(SandboxStopped) as stopped:
        call(session, "spins", wall_s=0.5)
    assert stopped.value.verdict is Verdict.TIMED_OUT


def test_ending_the_process_is_a_crash(session: SandboxSession) -> None:
    with pytest.raises(SandboxStopped) as stopped:
        call(session, "quits")
    assert stopped.value.verdict is Verdict.CRASHED
    assert "exit code 0" in stopped.value.message


def test_speaking_on_the_channel_is_a_crash(session: SandboxSession) -> None:
    with pytest.raises(SandboxStopped) as stopped:
        call(session, "speaks", 4)
    assert stopped.value.verdict is Verdict.CRASHED
    assert "can't read" in stopped.value.message
