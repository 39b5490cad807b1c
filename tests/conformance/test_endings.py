"""How a process can end or lie, and what is said about it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from autograder.errors import SandboxStopped
from autograder.model import Verdict
from tests.conformance.conftest import Box

OpenBox = Callable[..., Box]
DEATHS = {
    "import os; os._exit(0)": "exit code 0",
    "import os; os._exit(7)": "exit code 7",
    "import ctypes; ctypes.string_at(0)": "SIGSEGV",
    "import os; os.abort()": "SIGABRT",
    "import os; os.kill(os.getpid(), 9)": "SIGKILL",
    "import os, signal; signal.signal(15, signal.SIG_DFL); os.kill(os.getpid(), 15)": "SIGTERM",
    "import os; os.execvp('true', ['true'])": "exit code 0",
    "import mmap; f = open('x', 'wb+'); f.truncate(1); m = mmap.mmap(f.fileno(), 1); f.truncate(0); m[0]": "SIGBUS",
}


@pytest.mark.parametrize(("code", "words"), DEATHS.items())
def test_a_death_is_named(box: Box, code: str, words: str) -> None:
    stopped = box.stopped(code)
    assert stopped.verdict is Verdict.CRASHED
    assert words in stopped.message


def test_death_before_the_request(box: Box) -> None:
    box.answer("import os, threading; threading.Timer(0.05, os._exit, (5,)).start()")
    stopped = box.stopped("import time; time.sleep(9)")
    assert "exit code 5" in stopped.message


def test_hanging_up(box: Box) -> None:
    stopped = box.stopped("import os, time; channel.shutdown(2); time.sleep(99)")
    assert (stopped.verdict, "connection" in stopped.message) == (Verdict.CRASHED, True)


LIES = {
    "garbage": "channel.sendall(b'not a frame at all')",
    "wrong id": "say({'type': 'response', 'id': 99, 'status': 'ok', 'result': {}})",
    "event of another request": "say({'type': 'event', 'id': 99, 'event': 'x'})",
    "request": "say({'type': 'request', 'id': request['id'], 'op': 'x'})",
    "header too long": "channel.sendall(b'AGW1' + (2**31).to_bytes(4, 'little') + bytes(8))",
    "sizes that don't add up": "say({'type': 'event', 'id': request['id'], 'event': 'x'}, b'123')",
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_a_crash(box: Box, name: str) -> None:
    stopped = box.stopped(LIES[name])
    assert stopped.verdict is Verdict.CRASHED
    assert "can't read" in stopped.message


def test_a_second_response_is_noticed(box: Box) -> None:
    box.payload("say({'type': 'response', 'id': request['id'], 'status': 'ok', 'result': {'answer': 1}})")
    assert "can't read" in box.stopped("answer = 2").message


def test_half_a_frame_is_a_time_out(box: Box) -> None:
    assert box.stopped("channel.sendall(b'AGW1'); import time; time.sleep(99)", wall_s=0.3).verdict is Verdict.TIMED_OUT


def test_not_reading_is_a_time_out(box: Box) -> None:
    box.answer("import os, signal, threading; threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGSTOP)).start()")
    time.sleep(0.2)
    filler = np.zeros(8 << 20, np.uint8)  # far more than a socket holds
    with pytest.raises(SandboxStopped) as caught:
        box.session.request("exec", {"code": "", "filler": filler}, wall_s=0.4)
    assert caught.value.verdict is Verdict.TIMED_OUT


FLOODS = {
    "a frame beyond the cap": "say({'type': 'event', 'id': request['id'], 'event': 'x'}, bytes(2 << 20))",
    "a claimed body": "say({'type': 'event', 'id': request['id'], 'event': 'x'}, claimed=1 << 60)",
    "events without end": "while True: event(event='x')",
    "frames beyond the total": "while True: event(event='x', filler='x' * 500_000)",
}


@pytest.mark.parametrize("name", FLOODS)
def test_frames_have_caps(open_box: OpenBox, name: str) -> None:
    stopped = open_box(frame_mb=1, total_mb=4, events=50).stopped(FLOODS[name])
    assert stopped.verdict is Verdict.OUTPUT_LIMIT
