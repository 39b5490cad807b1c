"""The check type attention: axes, sums, padding, causality, the reference; and how mix-ups are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.model import Outcome, Verdict
from autograder.specs.dataset import Case
from tests.checks.contract.attention import MASK, WEIGHTS, weights
from tests.checks.examples import judge

CONTEXT = Context({"mask": MASK.astype(np.int64), "reference": WEIGHTS})
SHAPE: dict[str, Any] = {"layers": 3, "heads": 4, "mask": "mask"}


def said(value: Any, context: Context = CONTEXT, **params: Any) -> Outcome:
    return judge("attention", "call", {"value": value}, context=context, **{**SHAPE, **params})


def test_right_weights_pass_with_and_without_a_reference() -> None:
    assert said(WEIGHTS).verdict is Verdict.PASSED
    assert said(WEIGHTS, reference="reference").verdict is Verdict.PASSED
    assert said(WEIGHTS.astype(np.float32), reference="reference").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (WEIGHTS.swapaxes(0, 1), "batch and layers are swapped"),
        (WEIGHTS.swapaxes(1, 2), "layers and heads are swapped"),
        (WEIGHTS.swapaxes(3, 4), "columns sum to 1"),
        (list(WEIGHTS.swapaxes(0, 1)), "A list of 3"),
        (WEIGHTS[:, 0], "Expected (batch, layers"),
        (WEIGHTS * 2, "not to 1"),
        (WEIGHTS - 0.5, "negative"),
        (np.full_like(WEIGHTS, 0.25), "over heads"),
        (np.full_like(WEIGHTS, 0.2), "lies on padding"),
        (np.full_like(WEIGHTS, np.nan), "NaN"),
        ("attention", "An attention tensor was expected, got text"),
    ],
)
def test_mistakes_are_named(value: Any, words: str) -> None:
    outcome = said(value)
    assert outcome.verdict is Verdict.FAILED
    assert words in outcome.message


def test_axes_of_equal_size_are_told_apart_by_the_reference() -> None:
    same = weights(batch=2, layers=2, heads=2)
    context = Context({"mask": np.ones((2, 5)), "reference": same})
    for axes, words in (((0, 1), "batch and layers"), ((1, 2), "layers and heads"), ((3, 4), "query and key")):
        outcome = said(same.swapaxes(*axes), context, layers=2, heads=2, reference="reference")
        assert outcome.verdict is Verdict.FAILED
        assert f"{words} are swapped" in outcome.message
    assert said(same, context, layers=2, heads=2, reference="reference").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (WEIGHTS[:, ::-1], "reverse order"),
        (np.broadcast_to(WEIGHTS.mean(axis=2, keepdims=True), WEIGHTS.shape), "mean over heads"),
        (weights(seed=1), "no attention of this model"),
    ],
)
def test_other_weights_than_the_reference_fail(value: Any, words: str) -> None:
    assert said(value).verdict is Verdict.PASSED
    outcome = said(value, reference="reference")
    assert outcome.verdict is Verdict.FAILED
    assert words in outcome.message


def test_a_weight_just_inside_and_just_outside_the_tolerance() -> None:
    off = WEIGHTS.copy()
    off[0, 0, 0, 0, :2] += [0.9e-4, -0.9e-4]
    assert said(off, reference="reference").verdict is Verdict.PASSED
    off[0, 0, 0, 0, :2] += [0.2e-4, -0.2e-4]
    assert said(off, reference="reference").verdict is Verdict.FAILED


def test_padding_queries_are_not_looked_at() -> None:
    value = WEIGHTS.copy()
    value[1, :, :, 4, :] = 7.0
    assert said(value, reference="reference").verdict is Verdict.PASSED


def test_causal_attention() -> None:
    lower = np.tril(WEIGHTS)
    lower /= lower.sum(axis=-1, keepdims=True)
    assert said(lower, causal=True).verdict is Verdict.PASSED
    outcome = said(WEIGHTS, causal=True)
    assert outcome.verdict is Verdict.FAILED
    assert "later" in outcome.message


def test_what_the_smallest_call_raised_is_told() -> None:
    cases = {"asked": (Case((9,), size=9), Case((2,), size=2))}
    errors = [{"error": {"type": "KeyError", "message": word}} for word in ("large", "small")]
    outcome = judge("attention", "calls", {"answers": errors}, context=Context(cases=cases), cases="asked")
    assert "small" in outcome.message


def test_how_near_the_tolerance_weights_are_is_measured() -> None:
    assert said(WEIGHTS).statistics[0].margin > 0.9
    off = WEIGHTS.copy()
    off[0, 0, 0, 0, :2] += [0.9e-4, -0.9e-4]
    assert said(off, reference="reference").statistics[0].margin == pytest.approx(0.1, abs=0.01)
