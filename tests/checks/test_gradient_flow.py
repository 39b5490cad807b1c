"""The check type gradient_flow on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

from autograder.model import Verdict
from tests.checks.examples import judge


def test_gradient_flow_names_the_parameters_that_get_none() -> None:
    rows = [{"name": "conv.weight", "norm": 0.1}, {"name": "old.weight", "norm": None}, {"name": "old.bias", "norm": 0}]
    outcome = judge("gradient_flow", "gradient_norms", {"parameters": rows})
    assert outcome.verdict is Verdict.PARTIAL
    assert "old.weight, old.bias (2 of 3" in outcome.message
    spared = judge("gradient_flow", "gradient_norms", {"parameters": rows}, may_be_unused=["old.weight", "old.bias"])
    assert spared.verdict is Verdict.PASSED


def test_a_vanishing_gradient_is_told_in_numbers() -> None:
    rows = [{"name": "conv.weight", "norm": 2.34e-5}, {"name": "fc.weight", "norm": 0.31}]
    outcome = judge("gradient_flow", "gradient_norms", {"parameters": rows})
    assert outcome.verdict is Verdict.PASSED
    assert "2e-05 at conv.weight, 0.3 at fc.weight" in outcome.message


def test_how_near_the_smallest_gradient_is_to_none_is_measured() -> None:
    values = {"parameters": [{"name": "conv.weight", "norm": 1.1e-10}, {"name": "fc.weight", "norm": 0.3}]}
    near = judge("gradient_flow", "gradient_norms", values)
    assert (near.verdict, round(near.statistics[0].margin, 6)) == (Verdict.PASSED, 0.1)
    assert judge("gradient_flow", "gradient_norms", values, min_norm=0).statistics == ()
