"""The check type loss_curve on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.model import Verdict
from tests.checks.examples import judge, logits_right_on, training


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ((logits_right_on(0), logits_right_on(5), logits_right_on(10)), "falls from"),
        ((logits_right_on(5), logits_right_on(3), logits_right_on(0)), "rises"),
        ((logits_right_on(5), logits_right_on(5), logits_right_on(5)), "Not learning"),
        ((logits_right_on(5), logits_right_on(5), logits_right_on(6) * 0.99), "too little"),
        ((logits_right_on(5), logits_right_on(5) * np.nan), "NaN"),
        ((logits_right_on(5),), "never seen after training"),
    ],
)  # fmt: skip
def test_loss_curve_says_what_it_looks_like(curve: tuple[np.ndarray[Any, Any], ...], words: str) -> None:
    outcome = judge("loss_curve", "train", training(*curve), targets="labels", min_drop=0.3)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (words == "falls from")


def test_loss_curve_notices_gradients_that_pile_up() -> None:
    values = training(logits_right_on(0), logits_right_on(10), leftover_gradient={"left": 150.0, "one_batch": 1.0})
    outcome = judge("loss_curve", "train", values, targets="labels")
    assert "zero_grad" in outcome.hint


@pytest.mark.parametrize(("before", "passes"), [(20.0, True), (2.0, False), (None, False), (float("nan"), False)])
def test_an_odd_last_batch_of_a_trained_model_is_no_pile(before: float | None, passes: bool) -> None:
    norms = {"left": 320.0, "before": before, "one_batch": 1.0}
    values = training(logits_right_on(0), logits_right_on(10), leftover_gradient=norms)
    outcome = judge("loss_curve", "train", values, targets="labels")
    assert (outcome.verdict is Verdict.PASSED) is passes, outcome.message


@pytest.mark.parametrize(("right", "named"), [(10, False), (0, True)])
def test_a_pile_is_named_sooner_where_the_loss_does_not_fall(right: int, named: bool) -> None:
    values = training(logits_right_on(0), logits_right_on(right), leftover_gradient={"left": 32.0, "one_batch": 1.0})
    outcome = judge("loss_curve", "train", values, targets="labels")
    assert ("pile up" in outcome.message) is named, outcome.message


def test_loss_curve_suspects_a_softmax_where_the_answers_are_probabilities() -> None:
    wrong = np.exp(logits_right_on(0)) / np.exp(logits_right_on(0)).sum(axis=1, keepdims=True)
    outcome = judge("loss_curve", "train", training(np.full((10, 5), 0.2), wrong), targets="labels")
    assert outcome.verdict is Verdict.FAILED
    assert "applied twice" in outcome.hint


def ramp(*sharpness: float, right: int = 10) -> list[np.ndarray[Any, Any]]:
    """Outputs after each epoch, the surer the larger the number."""
    return [logits_right_on(right) * s for s in sharpness]


def test_loss_curve_speaks_of_the_model_where_the_grader_trained_it() -> None:
    values = training(*ramp(0, 0.01, 0.01, 0.01, 0.01))
    by_student = judge("loss_curve", "train", values | {"by_grader": False}, targets="labels")
    assert "zero_grad" in by_student.hint + by_student.evidence["to try"]
    by_grader = judge("loss_curve", "train", values | {"by_grader": True}, targets="labels")
    assert by_grader.message == by_student.message
    assert "momentum" in by_grader.hint
    assert "zero_grad" not in repr(by_grader)


def test_loss_curve_names_the_shape_and_what_to_try() -> None:
    outcome = judge("loss_curve", "train", training(*ramp(0, 0.1, 0.25, 0.4, 0.55)), targets="labels")
    assert outcome.verdict is Verdict.PASSED
    assert "not converged yet" in outcome.evidence["shape"]
    assert "more epochs" in outcome.evidence["to try"]
    assert "%" in outcome.evidence["slope at the end"]


def test_loss_curve_fails_on_a_shape_that_the_spec_does_not_accept() -> None:
    values = training(*ramp(0, 0.1, 0.25, 0.4, 0.55))
    outcome = judge("loss_curve", "train", values, targets="labels", accept=["healthy", "slow_start"])
    assert outcome.verdict is Verdict.FAILED
    assert "not converged yet" in outcome.message
    assert "healthy, slow start" in outcome.message
    assert "more epochs" in outcome.hint


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ([1.5, 0.2], "ends at 0.2 for training where the grader measures 1.6"),
        ({"train_loss": [1.5, 0.2], "val_acc": [0.1, 0.9]}, "ends at 0.2 for training"),
        ({"loss": [1.6], "val_loss": [40.0]}, "sum over batches"),
        ([{"loss": 1.7}, {"loss": -0.8}], "never negative"),
        ([[1.7, 1.6], [1.7, 0.1]], "ends at 0.1 for validation"),
        ([1.7, 1.5], ""),
        ({"accuracy": [0.1]}, ""),
        (["a", None], ""),
        (None, ""),
    ],
)
def test_loss_curve_compares_with_the_students_own_history(history: Any, says: str) -> None:
    values = training(*ramp(0, 0, 0), history=history)
    outcome = judge("loss_curve", "train", values, targets="labels", train_label="val", train_targets="labels")
    assert (says in outcome.message) if says else ("history" not in outcome.message)


def test_loss_curve_suspects_a_second_softmax_where_the_history_shows_one() -> None:
    right = np.exp(logits_right_on(10) * 3)
    values = training(np.full((10, 5), 0.2), right / right.sum(axis=1, keepdims=True), history=[1.61, 0.905])
    outcome = judge("loss_curve", "train", values, targets="labels", train_label="val", train_targets="labels")
    assert outcome.verdict is Verdict.PASSED
    assert "softmax is applied twice" in outcome.message


def test_a_history_can_say_no_more_than_two_digits() -> None:
    values = training(*ramp(0, 0), history=[735192.0])
    outcome = judge("loss_curve", "train", values, targets="labels", train_label="val", train_targets="labels")
    assert "735" not in outcome.message
    assert "more than 999" in outcome.message
