"""Opens sandboxes with a stand-in harness that runs code strings: a start takes 60 ms instead of 4 s."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.config import settings
from autograder.errors import SandboxStopped
from autograder.sandbox.base import Limits, Sandbox, SandboxSession
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.forkserver import ForkServerSandbox
from autograder.sandbox.plain import GAPS, PlainSandbox

MINI_HARNESS = Path(__file__).parent / "mini_harness"
# A new implementation is added here, and every test of this folder and of tests/security holds it to the protocol.
# The weak one is held to this folder's tests alone, but for those of what it says that it lacks.
SANDBOXES: dict[str, Callable[[Path], Sandbox]] = {
    "bubblewrap": lambda harness: BubblewrapSandbox(settings().runtime_python, harness),
    "forkserver": lambda harness: ForkServerSandbox(settings().runtime_python, harness, modules=()),
}
WEAK: dict[str, Callable[[Path], Sandbox]] = {
    "subprocess": lambda harness: PlainSandbox(settings().runtime_python, harness),
}
EVERY = {**SANDBOXES, **WEAK}
# What the harness does for every submission (harness/stubs.py); the stand-in harness does not.
TAMED = "import torch.multiprocessing\ntorch.multiprocessing.set_sharing_strategy('file_system')\n"
SMALL = {"wall_s": 15.0, "cpu_s": 20.0, "memory_mb": 256, "processes": 32, "disk_mb": 8, "inodes": 100, "output_kb": 4}


def gap(name: str) -> pytest.MarkDecorator:
    """The test is of something that the weak sandbox does not do, and says so under this name in GAPS."""
    assert name in GAPS, name
    return pytest.mark.gap(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of a named gap on the weak sandbox, and all of them there as root, whose files nothing would guard."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        if parameters is None or not any(
            value in WEAK for value in parameters.params.values() if isinstance(value, str)
        ):
            continue
        for mark in item.iter_markers("gap"):
            (name,) = mark.args
            item.add_marker(pytest.mark.skip(f"gap of the weak sandbox: {name}: {GAPS[name]}"))
        if os.geteuid() == 0:
            item.add_marker(pytest.mark.skip("the weak sandbox is tried by test_ordinary_user.py, never as root"))


class Box:
    """A session of the stand-in harness."""

    def __init__(self, session: SandboxSession) -> None:
        self.session = session

    def answer(self, code: str, wall_s: float | None = None, **given: Any) -> Any:
        """What `code` leaves in `answer`; AssertionError if it raised."""
        payload = self.payload(code, wall_s, **given)
        assert payload["status"] == "ok", payload
        return payload["result"]["answer"]

    def payload(self, code: str, wall_s: float | None = None, **given: Any) -> Any:
        """The whole response; `given` is in the code's reach as request["given"]."""
        return self.session.request("exec", {"code": code, "given": given}, wall_s=wall_s)

    def stopped(self, code: str, wall_s: float | None = None, **given: Any) -> SandboxStopped:
        """How the session ended over `code`."""
        with pytest.raises(SandboxStopped) as caught:
            self.payload(code, wall_s, **given)
        assert caught.value.message
        assert caught.value.hint
        assert not self.session.alive
        return caught.value


@pytest.fixture(scope="module", params=EVERY)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every implementation in turn."""
    made = EVERY[request.param](MINI_HARNESS)
    yield made
    made.close()


@pytest.fixture
def open_box(sandbox: Sandbox) -> Iterator[Callable[..., Box]]:
    """Opens sessions with small limits, changed by keywords; closes them all."""
    opened: list[Box] = []

    def open_one(**limits: Any) -> Box:
        opened.append(Box(sandbox.open(Limits(**{**SMALL, **limits}))))
        return opened[-1]

    yield open_one
    for box in opened:
        box.session.close()


@pytest.fixture
def box(open_box: Callable[..., Box]) -> Box:
    """One session with small limits."""
    return open_box()


@pytest.fixture
def marker() -> str:
    """Seconds for `sleep` that no other process sleeps: a process with it is ours, seen from outside."""
    return f"{3600 + int(uuid.uuid4()) % 10**6}.{int(uuid.uuid4()) % 10**9}"


def living(marker: str) -> list[int]:
    """Processes on this machine, zombies left out, whose command line holds the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


def wait_for(true: Callable[[], Any], seconds: float = 5.0) -> bool:
    """True as soon as something becomes true, False if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def sleeper(marker: str) -> str:
    """Code that starts a process with the marker."""
    return f"import subprocess; subprocess.Popen(['sleep', {json.dumps(marker)}])\n"
