"""The check type loss_on_logits: a softmax before the cross entropy stops a training that begins with sure mistakes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict
from tests.checks.examples import judge


def moved(change: float, width: int = 4) -> dict[str, Any]:
    """What a training shows that moved the output layer of three classes so far, and another layer by 1."""
    sizes = {"hidden.weight": [width, 3], "hidden.bias": [width], "out.weight": [3, width], "out.bias": [3]}
    return {
        "parameters": [
            {"name": name, "shape": shape, "requires_grad": True, "change": change if name == "out.weight" else 1.0}
            for name, shape in sizes.items()
        ]
    }


def ask(sure: dict[str, Any], usual: dict[str, Any], **params: Any) -> Outcome:
    context = Context(also={"usual": Observation("moves", usual)})
    return judge("loss_on_logits", "moves", sure, context=context, **{"classes": 3, **params})


@pytest.mark.parametrize(("change", "fits"), [(1.0, True), (0.051, True), (40.0, True), (0.049, False), (0.0, False)])
def test_the_output_layer_must_move_as_far_as_ordinarily(change: float, fits: bool) -> None:
    outcome = ask(moved(change), moved(1.0))
    assert (outcome.verdict is Verdict.PASSED) == fits
    assert fits or "softmax before the cross entropy" in outcome.hint


def test_layers_of_other_widths_are_compared_by_the_weight() -> None:
    assert ask(moved(0.051, width=4), moved(2.0, width=16), min_share=0.05).verdict is Verdict.PASSED
    assert ask(moved(0.049, width=4), moved(2.0, width=16), min_share=0.05).verdict is Verdict.FAILED


@pytest.mark.parametrize("change", [math.nan, math.inf, "1", None])
def test_what_is_no_number_never_passes(change: Any) -> None:
    assert ask(moved(change), moved(1.0)).verdict is Verdict.FAILED
    assert ask(moved(1.0), moved(change)).verdict is Verdict.FAILED


def test_a_training_that_moves_nothing_is_told_apart() -> None:
    outcome = ask(moved(0.0), moved(0.0))
    assert "moves no output layer" in outcome.message
    assert "3 classes" in outcome.hint


def test_without_an_output_layer_nothing_passes() -> None:
    assert ask(moved(1.0), moved(1.0), classes=5).verdict is Verdict.FAILED
    assert ask({"parameters": None}, moved(1.0)).verdict is Verdict.FAILED
