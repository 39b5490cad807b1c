"""The check type accuracy on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

import pytest

from autograder.model import Verdict
from tests.checks.examples import judge, logits_right_on, training


@pytest.mark.parametrize(
    ("right", "verdict", "fraction"),
    [(8, "passed", 1.0), (7, "partial", 0.833), (6, "partial", 0.667), (5, "partial", 0.5), (4, "failed", 0.0)],
)
def test_accuracy_gives_points_in_proportion(right: int, verdict: str, fraction: float) -> None:
    outcome = judge("accuracy", "predict", {"outputs": logits_right_on(right)}, targets="labels", min=0.5, full=0.8)
    assert (outcome.verdict, round(outcome.fraction, 3)) == (verdict, fraction)


def test_accuracy_of_a_training_counts_the_last_epoch_only() -> None:
    values = training(logits_right_on(10), logits_right_on(10), logits_right_on(2))
    assert judge("accuracy", "train", values, targets="labels", min=0.5).verdict is Verdict.FAILED


def test_a_model_that_was_never_evaluated_after_training_has_no_accuracy() -> None:
    values = training(logits_right_on(10))
    assert judge("accuracy", "train", values, targets="labels", min=0.5).verdict is Verdict.FAILED
