"""Words of a student's program must not steer the terminal, nor write lines of their own into the log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.comparing import differences
from autograder.text import is_hidden
from tests.factories import make_check
from tests.security.grading import PRELUDE, Grade

STEERS = "\x1b]0;owned\x07 \x9b31m \r\n all is well \u202e"
TURNED_DOWN = """
class Net(Net):
    def forward(self, x):
        from harness.errors import BadRequest
        raise BadRequest("no\\n2027-01-01 00:00:00 CRITICAL forged \\x1b]0;owned\\x07 \\x9b31m")
"""


def test_a_comparison_of_two_gradings_can_be_printed() -> None:
    first = make_check(1, 0.0, 1.0, message=STEERS, evidence={STEERS: STEERS})
    found = differences([first], [replace(first, message=f"again {STEERS}", hint=STEERS, evidence={})])
    assert len(found) == 3
    assert not [char for line in found for char in line if is_hidden(char)]


def test_the_log_keeps_its_lines(grade: Grade, caplog: pytest.LogCaptureFixture) -> None:
    grade("net.py", (PRELUDE + TURNED_DOWN).encode())
    said = [record.getMessage() for record in caplog.records if "turned a request down" in record.getMessage()]
    assert said
    assert any("forged" in line for line in said)
    assert not [char for line in said for char in line if is_hidden(char)]
