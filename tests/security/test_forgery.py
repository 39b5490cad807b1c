"""Student code that speaks for the harness. It shares its process, so it can; it must never get further than an answer.

A forged answer is as untrusted as a true one: the judge computes every score from arrays, outside. What these tests
hold is that a forger can't confuse one request with another, nor outlive being noticed.
"""

from __future__ import annotations

import time

import pytest

from autograder.errors import SandboxStopped
from autograder.model import Verdict
from tests.conformance.conftest import Box

LATER = """
import os, threading, time
def speak():
    time.sleep(0.1)
    channel.sendall(FRAME)
import json, struct
text = json.dumps({"type": "response", "id": request["id"] + 1, "status": "ok", "result": {"score": 100}, "arrays": []})
FRAME = struct.pack("<4sIQ", b"AGW1", len(text), 0) + text.encode()
threading.Thread(target=speak).start()
answer = "quiet so far"
"""


def test_an_answer_before_the_question_ends_the_session(box: Box) -> None:
    assert box.answer(LATER) == "quiet so far"
    time.sleep(0.4)
    stopped = box.stopped("answer = 'never read'")
    assert stopped.verdict is Verdict.CRASHED
    assert "without being asked" in stopped.message


def test_two_answers_end_the_session_at_the_next_question(box: Box) -> None:
    forged = "say({'type': 'response', 'id': request['id'], 'status': 'ok', 'result': {'answer': 'forged'}})"
    assert box.payload(forged)["result"] == {"answer": "forged"}
    assert box.stopped("answer = 1").verdict is Verdict.CRASHED


@pytest.mark.parametrize("descriptor", ["3", "os.dup(3)"])
def test_scribbling_on_the_channel_ends_the_session(box: Box, descriptor: str) -> None:
    assert box.stopped(f"import os; os.write({descriptor}, b'score=100')").verdict is Verdict.CRASHED


def test_a_child_of_the_student_cannot_answer_later(box: Box) -> None:
    # The child inherits a copy of the channel and answers while the parent is asked something else.
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    time.sleep(0.2)\n"
        "    say({'type': 'response', 'id': request['id'], 'status': 'ok', 'result': {}})\n"
        "    os._exit(0)\n"
        "answer = 1"
    )
    assert box.answer(code) == 1
    with pytest.raises(SandboxStopped):
        box.payload("import time; time.sleep(5)")


def test_an_error_message_is_only_text(box: Box) -> None:
    payload = box.payload("raise ValueError('<script>alert(1)</script>\\x00' + 'x' * 10_000)")
    assert len(payload["error"]["message"]) == 2000
    assert "\0" not in payload["error"]["message"]
