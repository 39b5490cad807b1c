"""The check type batch_independence on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

import numpy as np

from autograder.model import Verdict
from tests.checks.examples import judge


def test_batch_independence_tells_randomness_from_mixing() -> None:
    one = np.random.default_rng(0).normal(size=(4, 3))
    random = judge("batch_independence", "forward", {"outputs": [one, one + 0.1], "single": [one]})
    mixing = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one[::-1]]})
    constant = judge("batch_independence", "forward", {"outputs": [one * 0, one * 0], "single": [one * 0]})
    lost = judge("batch_independence", "forward", {"outputs": [one * np.nan] * 2, "single": [one]})
    rounding = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one + 1e-6]})
    assert "second time" in random.message
    assert "others in its batch" in mixing.message
    assert "exactly the same" in constant.message
    assert "NaN or infinite" in lost.message
    assert rounding.verdict is Verdict.PASSED


def test_how_near_the_tolerance_answers_are_is_measured() -> None:
    one = np.random.default_rng(0).uniform(-1, 1, size=(4, 3))
    again = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one + 0.9e-4]})
    assert (again.verdict, round(again.statistics[0].margin, 6)) == (Verdict.PASSED, 0.1)
    mixing = judge("batch_independence", "forward", {"outputs": [one, one], "single": [one + 1.1e-4]})
    assert (mixing.verdict, round(mixing.statistics[0].margin, 6)) == (Verdict.FAILED, -0.1)
