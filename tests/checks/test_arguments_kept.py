"""The check type arguments_kept: what was sent is what is there after the call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.model import Outcome, Verdict
from autograder.specs.dataset import Case
from tests.checks.examples import judge

VECTOR = np.array([3.0, np.nan])
CASES = {"calls": (Case(([2, 1], {"a": 1}), group="lists"), Case((VECTOR, "text"), group="arrays"))}


def outcome(first: Any, second: Any, **params: Any) -> Outcome:
    answers = [{"value": 0, "arguments": first}, {"value": 0, "arguments": second}]
    return judge("arguments_kept", "calls", {"answers": answers, "cases": "calls"}, Context(cases=CASES), **params)


def test_what_comes_back_as_it_was_passes() -> None:
    assert outcome([[2, 1], {"a": 1}], [VECTOR.copy(), "text"]).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("first", "second", "position"),
    [
        ([[1, 2], {"a": 1}], [VECTOR, "text"], 1),
        ([[2, 1, 0], {"a": 1}], [VECTOR, "text"], 1),
        ([[2, 1.0], {"a": 1}], [VECTOR, "text"], 1),
        ([[2, 1], {"a": 2}], [VECTOR, "text"], 2),
        ([[2, 1], {"a": 1, "b": 1}], [VECTOR, "text"], 2),
        ([[2, 1], {"a": 1}], [VECTOR + 1, "text"], 1),
        ([[2, 1], {"a": 1}], [VECTOR.astype(np.float32), "text"], 1),
        ([[2, 1], {"a": 1}], [VECTOR[:1], "text"], 1),
        ([[2, 1], {"a": 1}], [VECTOR, "Text"], 2),
    ],
)
def test_a_change_is_named_by_the_argument_s_place(first: Any, second: Any, position: int) -> None:
    found = outcome(first, second)
    assert (found.verdict, found.message) == (Verdict.FAILED, f"A call changed its argument number {position}.")
    assert "copy" in found.hint


def test_only_some_groups_are_looked_at() -> None:
    assert outcome([[2, 1], {"a": 1}], [VECTOR + 1, "text"], only=["lists"]).verdict is Verdict.PASSED
    assert outcome([[2, 1], {"a": 1}], [VECTOR, "text"], only=["other"]).verdict is Verdict.FAILED


@pytest.mark.parametrize("answers", [None, [], [{"value": 0}], [{"value": 0, "arguments": []}], "no", [3]])
def test_arguments_that_did_not_come_back_fail(answers: Any) -> None:
    seen = {"answers": answers, "cases": "calls"}
    assert judge("arguments_kept", "calls", seen, Context(cases=CASES)).verdict is Verdict.FAILED


def test_who_answers_no_call_keeps_nothing() -> None:
    error = {"type": "ValueError", "base": "ValueError", "message": "", "where": "", "hint": ""}
    first, second = [[2, 1], {"a": 1}], [VECTOR, "text"]
    answers = [{"error": error, "arguments": first}, {"error": error, "arguments": second}]
    seen = {"answers": answers, "cases": "calls"}
    assert "Every call ended" in judge("arguments_kept", "calls", seen, Context(cases=CASES)).message
    answers[0] = {"value": 1, "arguments": first}
    assert judge("arguments_kept", "calls", seen, Context(cases=CASES)).verdict is Verdict.PASSED
