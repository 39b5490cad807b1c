"""Each check on one observation that just passes and on ones that just fail, with the words a student reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.checks.measures import cross_entropy, looks_like_probabilities, predictions
from autograder.model import Observation, Outcome, Verdict

LABELS = np.arange(10) % 5
CONTEXT = Context({"labels": LABELS}, tuple("abcde"))


def judge(kind: str, probe: str, observed: dict[str, Any], /, **params: Any) -> Outcome:
    check = registry.all_checks()[kind]
    return check.judge(Observation(probe, observed), CONTEXT, check.Params.model_validate(params))


def logits_right_on(count: int) -> np.ndarray[Any, Any]:
    answers = np.where(np.arange(10) < count, LABELS, (LABELS + 1) % 5)
    return np.eye(5)[answers] * 3.0


def training(*curve: np.ndarray[Any, Any], **result: Any) -> dict[str, Any]:
    return {"epochs": [{"epoch": i, "outputs": {"val": c, "test": c}} for i, c in enumerate(curve)], "result": result}


def test_cross_entropy_agrees_with_the_formula_for_logits_log_probabilities_and_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(10, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(10), LABELS]).mean()
    for outputs in (logits, np.log(probabilities), probabilities):
        assert cross_entropy(outputs, LABELS) == pytest.approx(expected)


def test_predictions_accept_scores_and_labels() -> None:
    assert (predictions(logits_right_on(10), 10) == LABELS).all()
    assert (predictions(LABELS, 10) == LABELS).all()
    assert predictions(LABELS + 0.5, 10) is None
    assert not looks_like_probabilities(logits_right_on(10))


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


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 8)), "10 values a row"),
        (np.zeros((10, 4)), "swapped"),
        (np.zeros((8, 10)), "keeping the batch axis"),
        (np.zeros((4, 10, 1, 1)), "Flatten"),
        (np.zeros(4), "one row of scores"),
        (np.zeros((4, 10), dtype=np.int64), "scores themselves"),
        (np.full((4, 10), 0.1), "CrossEntropyLoss applies it itself"),
    ],
)
def test_output_shape_names_the_likeliest_cause(array: np.ndarray[Any, Any], words: str) -> None:
    outcome = judge("output_shape", "forward", {"outputs": [array], "rows": 4}, shape=["N", 10], values="logits")
    assert outcome.verdict is Verdict.FAILED
    assert words in outcome.hint


def test_output_shape_accepts_logits_and_log_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 10))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for array in (logits, logs):
        outcome = judge("output_shape", "forward", {"outputs": [array], "rows": 4}, shape=["N", 10], values="logits")
        assert outcome.verdict is Verdict.PASSED


def test_batch_independence_tells_randomness_from_mixing() -> None:
    one = np.random.default_rng(0).normal(size=(4, 3))
    random = judge("batch_independence", "forward", {"outputs": [one, one + 0.1], "single": [one]})
    mixing = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one[::-1]]})
    constant = judge("batch_independence", "forward", {"outputs": [one * 0, one * 0], "single": [one * 0]})
    rounding = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one + 1e-6]})
    assert "second time" in random.message
    assert "other images" in mixing.message
    assert "exactly the same" in constant.message
    assert rounding.verdict is Verdict.PASSED


def test_gradient_flow_names_the_parameters_that_get_none() -> None:
    rows = [{"name": "conv.weight", "norm": 0.1}, {"name": "old.weight", "norm": None}, {"name": "old.bias", "norm": 0}]
    outcome = judge("gradient_flow", "gradient_norms", {"parameters": rows})
    assert outcome.verdict is Verdict.PARTIAL
    assert "old.weight, old.bias (2 of 3" in outcome.message
    spared = judge("gradient_flow", "gradient_norms", {"parameters": rows}, may_be_unused=["old.weight", "old.bias"])
    assert spared.verdict is Verdict.PASSED


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
    values = training(logits_right_on(0), logits_right_on(10), leftover_gradient={"left": 50.0, "one_batch": 1.0})
    outcome = judge("loss_curve", "train", values, targets="labels")
    assert "zero_grad" in outcome.hint


def test_classification_report_names_the_favourite_class_and_draws_the_matrix() -> None:
    constant = np.eye(5)[np.zeros(10, dtype=int)]
    outcome = judge("classification_report", "predict", {"outputs": constant}, targets="labels", min_macro_f1=0.5)
    assert "100% of all predictions are “a”" in outcome.message
    matrix = outcome.evidence["plots"][0]["matrix"]
    assert [row[0] for row in matrix] == [2] * 5
    good = judge(
        "classification_report", "predict", {"outputs": logits_right_on(9)}, targets="labels", min_macro_f1=0.8
    )
    assert good.verdict is Verdict.PASSED


def test_entry_points_give_partial_credit_and_name_what_is_missing() -> None:
    entries = {
        "model": {"found": "Net", "how": "alias", "official": "CNN", "kind": "model", "required": True},
        "train": {"found": None, "official": "train", "kind": "function", "required": True, "message": "No train."},
        "extra": {"found": None, "official": "plot", "kind": "function", "required": False},
    }
    outcome = judge("entry_points", "resolve", {"entries": entries})
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)
    assert outcome.message == "No train."
    assert "Define train" in outcome.hint


def test_finite_counts() -> None:
    outputs = np.array([[1.0, np.nan], [np.inf, 2.0]])
    assert "2 of 4" in judge("finite", "forward", {"outputs": [outputs]}).message


def test_loss_curve_suspects_a_softmax_where_the_answers_are_probabilities() -> None:
    wrong = np.exp(logits_right_on(0)) / np.exp(logits_right_on(0)).sum(axis=1, keepdims=True)
    outcome = judge("loss_curve", "train", training(np.full((10, 5), 0.2), wrong), targets="labels")
    assert outcome.verdict is Verdict.FAILED
    assert "applied twice" in outcome.hint
