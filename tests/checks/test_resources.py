"""The check type resources: limits on time and memory, or plain feedback."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograder.model import Verdict
from tests.checks.examples import judge

USED = {"seconds": 1.237, "cpu_s": 1.0, "peak_mb": 300.0, "gpu_mb": 0.0}


def test_without_limits_it_reports() -> None:
    outcome = judge("resources", "usage", USED)
    assert outcome.verdict is Verdict.PASSED
    assert outcome.message == "Used: time 1.2 s, CPU time 1 s, memory 300 MB, GPU memory 0 MB."


@pytest.mark.parametrize(("limit", "verdict"), [(300, Verdict.PASSED), (299, Verdict.FAILED)])
def test_limits_include_their_own_value(limit: float, verdict: Verdict) -> None:
    outcome = judge("resources", "usage", USED, max_peak_mb=limit)
    assert outcome.verdict is verdict
    assert [s.param for s in outcome.statistics] == ["max_peak_mb"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, None, "3", True])
def test_what_was_not_measured_holds_no_limit(value: Any) -> None:
    assert judge("resources", "usage", USED | {"peak_mb": value}, max_peak_mb=500).verdict is Verdict.FAILED


def test_a_share_of_the_limits() -> None:
    outcome = judge("resources", "usage", USED, max_seconds=1, max_peak_mb=500, partial=True)
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)
    assert "it used 1.2 s" in outcome.message
