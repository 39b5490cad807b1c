"""The check type layers: what it counts, and what it says about layers that are missing."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict

RIGHT = [(16, 3, 3, 3), (16,), (16, 16, 3, 3), (32, 16, 3, 3), (32, 32, 3, 3), (128, 2048), (64, 128), (10, 64), (10,)]
ASKED = {"convolutions": 4, "linear": 3, "outputs": 10, "max_side": 8}


def judge(shapes: list[Any], **params: Any) -> Outcome:
    check = registry.all_checks()["layers"]
    rows = [{"name": f"number {i}", "shape": list(shape)} for i, shape in enumerate(shapes)]
    return check.judge(
        Observation("construct", {"parameters": rows, "tainted": False}), Context(), check.Params.model_validate(params)
    )


def test_the_layers_asked_for_pass_in_any_order_beside_others() -> None:
    assert judge(RIGHT, **ASKED).verdict is Verdict.PASSED
    assert judge([*RIGHT[::-1], (32,), ()], **ASKED).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("shapes", "words", "fraction"),
    [
        (RIGHT[1:], "Expected 4 convolutions, found 3", 0.375),
        ([*RIGHT, (64, 64)], "Expected 3 linear layers, found 4", 0.375),
        ([*RIGHT[:-2], (8, 64)], "No linear layer gives 10 values", 0.375),
        ([*RIGHT[:5], (128, 8192), *RIGHT[6:]], "a pooling layer missing", 0.375),
        ([(10, 3072)], "found 0. Expected 3", 0.25),
    ],
)
def test_what_is_missing_is_named_and_costs_its_share(shapes: list[Any], words: str, fraction: float) -> None:
    outcome = judge(shapes, **ASKED)
    assert outcome.verdict is Verdict.PARTIAL
    assert words in outcome.message
    assert outcome.fraction == pytest.approx(fraction)
    assert outcome.hint


def test_kinds_that_are_not_named_are_free() -> None:
    assert judge([(7, 3), (2, 7, 9, 9, 9)]).verdict is Verdict.PASSED


def test_a_model_without_weights_fails() -> None:
    assert judge([]).verdict is Verdict.FAILED
    assert judge([(5,), ()]).verdict is Verdict.FAILED
