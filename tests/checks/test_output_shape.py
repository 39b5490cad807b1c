"""The check type output_shape on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.model import Outcome, Verdict
from tests.checks.examples import judge


def test_a_tensor_inside_of_a_tuple_passes_and_is_told() -> None:
    outputs = {"outputs": [np.random.default_rng(0).normal(size=(4, 10))], "rows": 4, "output_type": "tuple"}
    outcome = judge("output_shape", "forward", outputs, shape=["N", 10], values="logits")
    assert outcome.verdict is Verdict.PASSED
    assert "returned a tuple: its first tensor was taken" in outcome.message


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 8)), "10 values a row"),
        (np.zeros((10, 4)), "swapped"),
        (np.zeros((8, 10)), "keeping the batch axis"),
        (np.zeros((4, 10, 1, 1)), "Flatten"),
        (np.zeros(4), "one row of scores"),
        (np.zeros((4, 10), dtype=np.int64), "scores themselves"),
        (np.zeros((4, 10), dtype=np.float16), "no .half()"),
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


@pytest.mark.parametrize(
    ("name", "change"), [("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("ReLU", lambda z: z.clip(0))]
)
def test_output_shape_knows_squashed_scores_but_not_scores_that_happen_to_be_positive(name: str, change: Any) -> None:
    logits = np.random.default_rng(0).normal(scale=0.2, size=(8, 10))

    def judged(values: np.ndarray[Any, Any]) -> Outcome:
        return judge("output_shape", "forward", {"outputs": [values], "rows": 8}, shape=["N", 10], values="logits")

    assert name in judged(change(logits)).message
    assert judged(logits).verdict is judged(np.abs(logits) + 0.01).verdict is Verdict.PASSED
