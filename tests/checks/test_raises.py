"""The check type raises: which exceptions count, and what is said about the others."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks.base import Context
from autograder.model import Verdict
from autograder.specs.dataset import Case
from tests.checks.cases import answers, ask
from tests.checks.examples import judge

CASES = [
    Case((-1,), raises=("ValueError", "TypeError"), group="negative"),
    Case(("735192",), raises=("ValueError",), group="text"),
    Case((1,), expected=2),
]


class BadSize(ValueError):
    """What a student may define."""


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (ValueError("size < 0"), ""),
        (TypeError(), ""),
        (UnicodeDecodeError("utf8", b"", 0, 1, ""), ""),
        (KeyError("x"), "ValueError or TypeError was expected, but the call raised KeyError: 'x' (cell 2, line 3)"),
        (5, "but the call returned a whole number"),
        (None, "but the call returned None"),
    ],
)
def test_what_came_is_held_against_the_named_exceptions(came: Any, words: str) -> None:
    outcome = ask("raises", CASES, [came, ValueError(), 2])
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_an_exception_class_of_the_students_own_counts_by_what_it_derives_from() -> None:
    values = answers(BadSize("no"), ValueError(), 2)
    from_base = {**values["answers"][0]["error"], "base": "ValueError"}
    changed = values | {"answers": [{"error": from_base}, *values["answers"][1:]]}
    context = Context(cases={"calls": tuple(CASES)})
    assert judge("raises", "calls", values, context=context).verdict is Verdict.FAILED
    assert judge("raises", "calls", changed, context=context).verdict is Verdict.PASSED


def test_the_first_wrong_call_is_shown_unless_hidden() -> None:
    assert ask("raises", CASES, [ValueError(), 3, 2]).evidence == {"called with": "('735192')", "got": "3"}
    hidden = ask("raises", CASES, [ValueError(), 3, 2], hidden=True)
    assert hidden.verdict is Verdict.FAILED
    assert "735192" not in repr(hidden)


def test_points_for_the_share_of_groups_and_nothing_for_no_answer() -> None:
    assert ask("raises", CASES, [ValueError(), 3, 2], partial=True).fraction == 0.5
    assert "there is no answer" in ask("raises", CASES, []).message
    assert ask("raises", CASES, [1, ValueError(), 2], only=["text"]).verdict is Verdict.PASSED
    assert "No call had to raise" in ask("raises", CASES[2:], [2]).message


def test_the_smallest_wrong_call_is_shown() -> None:
    cases = [Case((n,), raises=("ValueError",), size=n) for n in (9, 2)]
    outcome = ask("raises", cases, [KeyError("x"), 5])
    assert outcome.evidence["called with"] == "(2)"
    assert "returned a whole number" in outcome.message


def test_who_refuses_everything_refuses_nothing() -> None:
    outcome = ask("raises", CASES, [ValueError(), ValueError(), ValueError()])
    assert (outcome.verdict, outcome.message) == (Verdict.FAILED, "Every call is refused, also the legal ones.")
    assert ask("raises", CASES, [ValueError()] * 3, only=["text"]).verdict is Verdict.FAILED
    several = [*CASES, Case((2,), expected=3)]
    assert ask("raises", several, [ValueError(), ValueError(), KeyError(), 9]).verdict is Verdict.PASSED
    assert ask("raises", CASES[:2], [ValueError(), ValueError()]).verdict is Verdict.PASSED
