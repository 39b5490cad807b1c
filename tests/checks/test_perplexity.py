"""The check type perplexity: its value, padding, shifted targets, and what is too good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.checks.perplexity import perplexity
from autograder.model import Outcome, Verdict
from tests.checks.examples import judge

TARGETS = np.random.default_rng(0).integers(1, 20, (8, 12))
CONTEXT = Context({"targets": TARGETS})


def sure(targets: Any, strength: float = 5.0) -> Any:
    return np.eye(20)[targets] * strength


def said(outputs: Any, **params: Any) -> Outcome:
    return judge(
        "perplexity", "forward", {"outputs": [outputs]}, context=CONTEXT, targets="targets", **{"max": 3.0, **params}
    )


def test_the_value_of_guessing_is_the_size_of_the_vocabulary() -> None:
    assert perplexity(np.zeros((8, 12, 20)), TARGETS, None) == pytest.approx(20)
    assert perplexity(np.full((8, 12, 20), 0.05), TARGETS, None) == pytest.approx(20)


def test_padding_does_not_count() -> None:
    padded, outputs = TARGETS.copy(), sure(TARGETS)
    padded[:, 6:] = 0
    with_pad = perplexity(outputs, padded, 0)
    assert with_pad == pytest.approx(perplexity(outputs[:, :6], TARGETS[:, :6], None))
    assert perplexity(outputs, padded, None) > 2 * with_pad


def test_just_below_and_just_above_the_limit() -> None:
    value = perplexity(sure(TARGETS), TARGETS, None)
    assert said(sure(TARGETS), max=value * 1.001).verdict is Verdict.PASSED
    outcome = said(sure(TARGETS), max=value * 0.999)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.statistics[0].value == pytest.approx(value)


def test_a_bound_that_is_not_looked_at_is_no_limit_to_be_near_to() -> None:
    good = said(sure(TARGETS))
    assert (good.verdict, [s.name for s in good.statistics]) == (Verdict.PASSED, ["perplexity"])
    assert [s.name for s in said(sure(TARGETS), least=1.05).statistics] == ["perplexity", "least"]


def test_targets_that_are_shifted_are_named() -> None:
    same, later = np.roll(TARGETS, 1, axis=1), np.roll(TARGETS, -1, axis=1)
    assert "the token after next" in said(sure(later)).hint
    assert "just read" in said(sure(same)).hint
    assert "Train longer" in said(np.zeros((8, 12, 20))).hint


def test_a_model_that_sees_its_targets_is_too_good() -> None:
    outcome = said(sure(TARGETS, 50.0), least=1.5)
    assert outcome.verdict is Verdict.FAILED
    assert "Mask the future" in outcome.hint


def test_rows_of_all_positions_are_accepted_and_a_wrong_axis_is_named() -> None:
    assert said(sure(TARGETS).reshape(-1, 20)).verdict is Verdict.PASSED
    assert "last axis" in said(sure(TARGETS).transpose(0, 2, 1)).hint
    assert said(np.zeros((8, 12, 5))).verdict is Verdict.FAILED
