"""The check type allclose: trees, tolerances, counter-examples, and what it says about common mistakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.model import Verdict
from autograder.specs.dataset import Case
from tests.checks.cases import ask
from tests.checks.examples import Array, judge

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(5, 4))


def one(expected: Any, got: Any, **params: Any) -> str:
    """The message about one answer, empty if it is right."""
    outcome = ask("allclose", [Case((1,), expected=expected)], [got], **params)
    return "" if outcome.verdict is Verdict.PASSED else f"{outcome.message} {outcome.hint}".lower()


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (3, 3), (3, 3.0), (3, np.array(3)), (True, True), (True, 1), ("a", "a"), (None, None), (2.5, 2.5 + 1e-5),
        (2.5, np.array([2.5])), (np.arange(3), [0, 1, 2]), ([1, 2], np.array([1.0, 2.0])), ((1, 2), [1, 2]),
        ((1, "a"), [1, "a"]), ({"a": X}, {"a": X.astype(np.float32)}), ([X, X[0]], [X, X[0]]), (math.inf, math.inf),
        (np.float32(0.5), 0.5), ((), []), ([], []), (X, X + 1e-4), ({1: 2}, {"1": 2}), ((X[0], X[1]), X[:2]),
        ([["a"], ["b", "c"]], [["a"], ["b", "c"]]), (10**40, 10**40),
    ],
)  # fmt: skip
def test_equal_trees_are_right_whatever_carries_them(expected: Any, got: Any) -> None:
    assert one(expected, got) == ""


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (3, 3.0001, "the value differs"),
        (3, "3", " whole number was expected, got text"),
        (3, None, "got None. The function ends without return"),
        ("a", "b", "another text was expected, got text"),
        (None, 3, "None was expected, got a whole number"),
        (2.5, 2.501, "the value differs"),
        (2.5, math.nan, "NaN"),
        (math.nan, math.nan, "NaN"),
        (2.5, math.inf, "infinite"),
        (math.inf, -math.inf, "the value differs"),
        ((0.001, 1000), [0.002, 1000], "At [0]: the value differs"),
        ((1, 2), [1, 2, 3], "2 values were expected, got 3"),
        ((1, 2), 1, "2 values were expected, got a whole number"),
        ({"a": 1}, {"b": 1}, "1 of 1 keys are missing"),
        ({"a": 1}, {"a": 1, "b": 1}, "there are 2 keys, 1 were expected"),
        ({"a": (1, [0.5])}, {"a": [1, [0.6]]}, "At ['a'][1]: the value differs"),
        ([1, 2], 3, "2 values were expected, got a whole number"),
        (X, X[:2], "shape (5, 4) was expected, got an array of shape (2, 4)"),
        (X, np.zeros((0, 7)), "got an array without values"),
        (X, X + 0.01, "the values differ"),
        (1.5, [1.5, 2], "one number was expected, got a list of 2"),
    ],
)
def test_what_differs_is_named(expected: Any, got: Any, words: str) -> None:
    assert words.lower() in one(expected, got)


def test_types_and_more_keys_where_asked() -> None:
    assert "whole numbers were expected" in one(3, 3.0, strict_types=True)
    assert one({"a": 1}, {"a": 1, "b": 1}, more_keys=True) == ""


ROWS = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (X, X.T, "transposed"),
        (X[:4], X[:4].T, "transposed"),
        (X.reshape(5, 2, 2, 1), X.reshape(5, 2, 2, 1).transpose(1, 0, 2, 3), "another order"),
        (X[:, 0], X[:, :1], "axis of length 1"),
        (X, X.ravel(), "their shape is not"),
        (X.sum(axis=0), X, "not summed"),
        (X.mean(axis=1), X, "not averaged"),
        (X, -X, "sign is wrong"),
        (X, 2 * X, "twice as large"),
        (X, X / 2, "half as large"),
        (X, 5 * X, "Divide by how many there are"),
        (X, X / 20, "Don't divide by how many"),
        (X, X * np.log(2), "base 2"),
        (X, X / np.log(2), "natural logarithm"),
        (0.78, 78.0, "percentage"),
        (X, 1.7 * X, "constant factor"),
        (7, 8, "off by one"),
        (X, X + 3, "same amount everywhere"),
        (X[:, 0], np.roll(X[:, 0], 1), "one place"),
        (X[:, 0], X[::-1, 0], "reverse order"),
        (X[:, 0], np.sort(X[:, 0]), "wrong order"),
        (X, X.round(2), "rounded"),
        (32.5, 32, "//"),
        (32, 32.5, "floor brackets"),
        (X, ROWS, "Leave the softmax out"),
        (ROWS, X, "Apply softmax"),
        (ROWS, np.log(ROWS), "logarithms of what was expected"),
        (np.log(ROWS), ROWS, "logarithm is missing"),
        (X**2, np.abs(X), "square root"),
        (np.abs(X), X**2, "Take the square root"),
        (ROWS, 1 - ROWS, "one minus"),
        (X, X + np.eye(5, 4, 3) * [0, 0, 0, 1], "at an edge"),
        (X, X * (1 + DRAW.normal(size=X.shape) * 1e-3), "not precise enough"),
    ],
)
def test_common_mistakes_are_recognised(expected: Any, got: Any, words: str) -> None:
    assert words.lower() in one(expected, got)


def test_a_loose_tolerance_makes_no_logarithm() -> None:
    almost = 0.5 / math.log(2) + 0.0005
    assert "nats" not in one(0.5, almost, atol=1e-3)
    assert "nats" in one(0.5, 0.5 / math.log(2), atol=1e-3)


def test_a_wrong_choice_is_no_missing_factor() -> None:
    table = [{"batch_size": size, "lr": 0.1} for size in (256, 512)]
    outcome = ask("allclose", [Case((table,), expected=(512, 0.1))], [[256, 0.1]])
    assert "half" not in outcome.message
    assert "another one is asked for" in outcome.hint
    assert "half" in ask("allclose", [Case((table,), expected=(1024, 0.1))], [[512, 0.1]]).message


CASES = [
    Case((1, 2), {"by": 3}, expected=4, group="small"),
    Case((np.arange(3),), expected=5.5, group="small", label="a vector"),
    Case(("text",), expected=6, group="large"),
    Case((-1,), raises=("ValueError",), group="bad"),
]


def test_the_first_wrong_case_is_shown_as_far_as_allowed() -> None:
    given = [4, 9.5, 9, ValueError("no")]
    outcome = ask("allclose", CASES, given)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.message.startswith("2 of 3 answers are wrong.")
    assert outcome.evidence == {"example": "a vector", "called with": "([0, 1, 2])", "got": "9.5"}
    assert ask("allclose", CASES, given, show="answer").evidence["expected"] == "5.5"
    assert ask("allclose", CASES, given, show="nothing").evidence == {}
    assert ask("allclose", CASES, given, show="answer", hidden=True).evidence == {}
    assert "got" not in ask("allclose", CASES, given, show="answer", tainted=True).evidence
    assert ask("allclose", CASES, [4, 5.5, 6, 0]).verdict is Verdict.PASSED
    assert ask("allclose", CASES, [3, 5.5, 6, 0]).evidence["called with"] == "(1, 2, by=3)"


def test_hidden_cases_tell_neither_keys_nor_values() -> None:
    secret = [Case((735192,), expected={"secret": {"word": 1.25}})]
    for got in ({"secret": {"word": 2.25}}, {"secret": {}}, {"secret": {"word": [1, 2]}}, {}):
        assert "735192" not in repr(said := ask("allclose", secret, [got], hidden=True))
        assert "secret" not in repr(said)
        assert "word" not in repr(said)
        assert "1.25" not in repr(said)


def test_points_for_the_share_of_groups() -> None:
    outcome = ask("allclose", CASES, [4, 9.5, 6, 0], partial=True)
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)
    assert ask("allclose", CASES, [4, 9.5, 6, 0], only=["large"]).verdict is Verdict.PASSED
    single = [Case((i,), expected=i) for i in range(4)]
    assert ask("allclose", single, [0, 1, 2, 0], partial=True).fraction == 0.75


def test_errors_and_missing_answers_are_wrong() -> None:
    raised = ask("allclose", CASES, [4, ZeroDivisionError("division by zero"), 6, 0])
    assert "raised ZeroDivisionError: division by zero (cell 2, line 3)" in raised.message
    assert "There is no answer" in ask("allclose", CASES, [4, 5.5]).message


def test_a_mistake_that_most_wrong_answers_share_is_named() -> None:
    cases = [Case((i,), expected=i + 0.5) for i in range(1, 6)]
    assert "sign" in ask("allclose", cases, [-1.5, -2.5, -3.5, 9.9, 5.5]).message
    assert "sign" not in ask("allclose", cases, [-1.5, 7.7, 8.8, 9.9, 5.5]).message


@pytest.mark.parametrize(("shift", "verdict"), [(0.9, Verdict.PASSED), (1.1, Verdict.FAILED)])
def test_outputs_against_an_array(shift: float, verdict: Verdict) -> None:
    allowed = 1e-6 + 1e-3 * float(np.abs(X).max())
    outputs: Array = X + shift * allowed
    for probe, values in (
        ("forward", {"outputs": [outputs]}),
        ("predict", {"outputs": outputs}),
        ("call", {"value": outputs}),
    ):
        outcome = judge("allclose", probe, values, context=Context({"right": X}), expected="right", rtol=1e-3)
        assert outcome.verdict is verdict
        assert outcome.statistics[0].value == pytest.approx(shift, rel=1e-6)


def test_what_to_do_about_an_error_is_told_where_it_is_known() -> None:
    error = {"type": "MissingPackage", "message": "no nltk", "hint": "Do without it."}
    answered = {"answers": [{"error": error}], "tainted": False}
    context = Context(cases={"calls": (Case((1,), expected=1),)})
    assert judge("allclose", "calls", answered, context=context).hint == "Do without it."
    assert ask("allclose", [Case((1,), expected=1)], [ValueError("no")]).hint == "It must answer for every legal input."


def test_the_smallest_wrong_case_is_shown_wherever_it_stands() -> None:
    cases = [Case((n,), expected=n, size=n) for n in (100, 1, 7)] + [Case((-1,), expected=-1, size=1)]
    assert ask("allclose", cases, [0, 0, 7, 0]).evidence["called with"] == "(1)"
    assert ask("allclose", cases, [0, 1, "text", 0]).evidence["called with"] == "(-1)"
    assert ask("allclose", cases, [0, 0, 7, 0], hidden=True).evidence == {}


def test_the_hint_of_the_first_group_with_a_wrong_case_is_said() -> None:
    cases = [Case((word,), expected=word, group=group) for word, group in (("a", "one"), ("b", "two"), ("c", ""))]
    hints = {"two": "Rule 2.", "one": "Rule 1."}
    for answers, hint in (
        (["a", "x", "c"], "Rule 2."),
        (["x", "b", "c"], "Rule 1."),
        (["x", "x", "c"], "Rule 2."),
        (["a", None, "c"], "The function ends without return. Rule 2."),
        (["a", "b", "x"], "Return what the handout names, in its order."),
    ):
        assert ask("allclose", cases, answers, hidden=True, hints=hints).hint == hint


def test_who_gives_fractions_elsewhere_does_not_cut_them() -> None:
    cases = [Case((i,), expected=(i - 2) / 3) for i in range(5)]
    assert "cut to whole" in ask("allclose", cases, [0.0, 0.0, 0.0, 0.0, 0.0]).message
    clipped = ask("allclose", cases, [0.0, 0.0, 0.0, 1 / 3, 2 / 3])
    assert "cut" not in clipped.message
    assert "by hand" in clipped.hint
