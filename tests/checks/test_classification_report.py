"""The check type classification_report on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

import numpy as np

from autograder.model import Verdict
from tests.checks.examples import judge, logits_right_on


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
