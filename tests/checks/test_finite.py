"""The check type finite on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

import numpy as np

from tests.checks.examples import judge


def test_finite_counts() -> None:
    outputs = np.array([[1.0, np.nan], [np.inf, 2.0]])
    assert "2 of 4" in judge("finite", "forward", {"outputs": [outputs]}).message
