"""Arithmetic shared by checks."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.checks.measures import cross_entropy, looks_like_probabilities, predictions
from tests.checks.examples import TEN_LABELS, logits_right_on


def test_cross_entropy_agrees_with_the_formula_for_logits_log_probabilities_and_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(10, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(10), TEN_LABELS]).mean()
    for outputs in (logits, np.log(probabilities), probabilities):
        assert cross_entropy(outputs, TEN_LABELS) == pytest.approx(expected)


def test_predictions_accept_scores_and_labels() -> None:
    assert (predictions(logits_right_on(10), 10) == TEN_LABELS).all()
    assert (predictions(TEN_LABELS, 10) == TEN_LABELS).all()
    assert predictions(TEN_LABELS + 0.5, 10) is None
    assert not looks_like_probabilities(logits_right_on(10))
