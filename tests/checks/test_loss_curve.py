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
    values = training(logits_right_on(0), logits_right_on(10), leftover_gradient={"left": 50.0, "one_batch": 1.0})
    outcome = judge("loss_curve", "train", values, targets="labels")
    assert "zero_grad" in outcome.hint


def test_loss_curve_suspects_a_softmax_where_the_answers_are_probabilities() -> None:
    wrong = np.exp(logits_right_on(0)) / np.exp(logits_right_on(0)).sum(axis=1, keepdims=True)
    outcome = judge("loss_curve", "train", training(np.full((10, 5), 0.2), wrong), targets="labels")
    assert outcome.verdict is Verdict.FAILED
    assert "applied twice" in outcome.hint
