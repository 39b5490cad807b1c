"""Arithmetic shared by checks."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.checks.measures import cross_entropy, looks_like_probabilities, looks_squashed, predictions
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


@pytest.mark.parametrize("classes", [4, 6, 10])
def test_plain_scores_are_hardly_ever_taken_for_squashed_ones(classes: int) -> None:
    """The worst case: a fresh model that answers every row nearly alike."""
    rng = np.random.default_rng(classes)
    for deviation in (0.1, 0.3, 0.5, 0.7, 1.0):
        answers = rng.normal(scale=deviation, size=(3000, 1, classes)) + rng.normal(scale=0.01, size=(3000, 8, classes))
        assert sum(looks_squashed(rows) != "" for rows in answers) <= 6, deviation


@pytest.mark.parametrize("classes", [4, 6, 10])
def test_squashed_scores_are_seen(classes: int) -> None:
    rng = np.random.default_rng(classes)
    scores = rng.normal(scale=0.3, size=(200, 8, classes))
    assert all(looks_squashed(1 / (1 + np.exp(-rows))) == "sigmoid" for rows in scores)
    assert all(looks_squashed(np.maximum(rows, 0)) == "relu" for rows in scores)
