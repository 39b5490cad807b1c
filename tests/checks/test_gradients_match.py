"""The check type gradients_match: a verdict for each gradient, and the cause of wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.model import Verdict
from autograder.specs.dataset import Case
from tests.checks.cases import ask

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(8, 4))  # a batch of eight
W = DRAW.normal(size=(3, 4))
HIDDEN = np.tanh(X @ W.T)
ERROR = HIDDEN - DRAW.normal(size=(8, 3))
DELTA = 2 * ERROR * (1 - HIDDEN**2) / 8  # of the mean over the batch of the squared error
GRADIENT = DELTA.T @ X  # of the loss by W
BIAS = DELTA.sum(axis=0)
CASES = [Case((X, W), expected=(GRADIENT, BIAS))]


def one(weight: Any, bias: Any = BIAS) -> Any:
    return ask("gradients_match", CASES, [[weight, bias]], names=["W", "b"])


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (GRADIENT.astype(np.float32), "right"),
        (GRADIENT * (1 + 5e-4), "right"),
        (-GRADIENT, "wrong sign"),
        (8 * GRADIENT, "1/N is missing"),
        (GRADIENT / 8, "divided once too often"),
        (2 * GRADIENT, "twice as large"),
        (GRADIENT / 2, "half as large"),
        (16 * GRADIENT, "factor 2 and a number of elements"),
        (1.37 * GRADIENT, "right direction, wrong length"),
        (GRADIENT.T, "transposed"),
        ((2 * ERROR / 8).T @ X, "a factor of the chain rule is missing"),
        (GRADIENT[:2], "shape (3, 4) was expected"),
        (GRADIENT * 0, "zero"),
        (GRADIENT * np.nan, "NaN"),
        (None, "got None"),
        ("text", "got text"),
    ],
)
def test_the_cause_is_named_for_each_gradient(weight: Any, words: str) -> None:
    outcome = one(weight)
    assert words in outcome.evidence["gradient of W"]
    assert outcome.evidence["gradient of b"] == "right"
    assert outcome.verdict is (Verdict.PASSED if words == "right" else Verdict.PARTIAL)
    assert outcome.fraction in (0.5, 1.0)


@pytest.mark.parametrize(("bias", "words"), [(DELTA, "not summed over the batch"), (BIAS[:, None], "length 1")])
def test_shapes_of_a_bias(bias: Any, words: str) -> None:
    assert words in one(GRADIENT, bias).evidence["gradient of b"]


def test_a_gradient_is_right_only_if_it_is_so_in_all_cases() -> None:
    cases = [*CASES, Case((X,), expected=(2 * GRADIENT, BIAS))]
    right = [[GRADIENT, BIAS], [2 * GRADIENT, BIAS]]
    assert ask("gradients_match", cases, right, names=["W", "b"]).verdict is Verdict.PASSED
    wrong = ask("gradients_match", cases, [right[0], [GRADIENT, BIAS]], names=["W", "b"], partial=False)
    assert (wrong.verdict, wrong.evidence["gradient of W"]) == (Verdict.FAILED, "half as large")


def test_single_gradients_dictionaries_and_wrong_numbers_of_gradients() -> None:
    single = [Case((1,), expected=GRADIENT)]
    assert ask("gradients_match", single, [GRADIENT]).verdict is Verdict.PASSED
    named = [Case((1,), expected={"W": GRADIENT, "b": BIAS})]
    outcome = ask("gradients_match", named, [{"W": GRADIENT, "b": -BIAS}])
    assert outcome.evidence["gradient of b"] == "wrong sign"
    assert "2 values were expected, got 1" in ask("gradients_match", CASES, [[GRADIENT]], names=["W", "b"]).message
    assert "2 values were expected, got None" in ask("gradients_match", CASES, [None]).message
    assert ask("gradients_match", CASES, [ValueError("x")]).verdict is Verdict.FAILED
    assert ask("gradients_match", CASES, []).verdict is Verdict.FAILED


def test_hidden_cases_are_not_shown() -> None:
    cases = [Case((735192,), expected=(GRADIENT, BIAS))]
    assert "735192" in repr(ask("gradients_match", cases, [[-GRADIENT, BIAS]]))
    assert "735192" not in repr(ask("gradients_match", cases, [[-GRADIENT, BIAS]], hidden=True))


def test_the_smallest_wrong_case_is_shown() -> None:
    cases = [Case((n,), expected=np.ones(2), size=n) for n in (9, 2)]
    assert ask("gradients_match", cases, [np.zeros(2), np.zeros(2)]).evidence["called with"] == "(2)"
    broken = ask("gradients_match", cases, [KeyError("large"), KeyError("small")])
    assert "small" in broken.message
    assert broken.evidence["called with"] == "(2)"


def test_how_near_the_gradients_are_is_measured() -> None:
    case, right = [Case((1,), expected=np.ones(4))], np.ones(4)
    inside = ask("gradients_match", case, [right + 0.9e-3], rtol=1e-3, atol=0)
    outside = ask("gradients_match", case, [right + 1.1e-3], rtol=1e-3, atol=0)
    assert (inside.verdict, outside.verdict) == (Verdict.PASSED, Verdict.FAILED)
    assert [round(o.statistics[0].margin, 6) for o in (inside, outside)] == [0.1, -0.1]
    assert ask("gradients_match", case, [None]).statistics == ()
