"""The check type training_loop: learning rate, batches, epochs, dropout and order of a student's own loop."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict
from tests.checks.examples import judge


def moved(change: float, **loop: Any) -> dict[str, Any]:
    """What a training of three epochs of four batches shows that moved each of two parameters so far."""
    seen = {"steps": 12, "most": 12, "dropout_off": 0, "in_order": 1, "passes": 3, **loop}
    rows = [{"name": name, "change": change} for name in ("a", "b")]
    return {"parameters": rows, "loop": seen, "asked": {"epochs": 3, "batches": 4}}


def ask(slow: dict[str, Any], usual: float = 1.0, **params: Any) -> Outcome:
    context = Context(also={"usual": Observation("moves", moved(usual))})
    return judge("training_loop", "moves", slow, context=context, **{"shuffled": True, **params})


def test_a_loop_that_does_as_it_is_told_passes() -> None:
    outcome = ask(moved(0.003))
    assert outcome.verdict is Verdict.PASSED
    assert outcome.evidence == {"optimiser steps": 12}


def test_two_optimizers_may_both_take_every_step() -> None:
    assert ask(moved(0.003, steps=24)).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("slow", "usual", "message", "hint"),
    [
        (moved(0.9), 1.0, "far smaller learning rate", "lr=lr"),
        (moved(0.0), 0.0, "moves no weights", "optimizer hold"),
        (moved(0.0), math.nan, "moves no weights", "optimizer hold"),
        (moved(math.nan), 1.0, "far smaller learning rate", "lr=lr"),
        (moved(0.0, steps=4, most=4, passes=1), 1.0, "12 steps of the optimizer; it took 4", "range(epochs)"),
        (moved(0.0, steps=6, most=6), 1.0, "it took 6", "batch_size=batch_size"),
        (moved(0.0, steps=24, most=24), 1.0, "it took 24", "batch_size=batch_size. Does the loop"),
        (moved(0.0, steps=0, most=0), 1.0, "it took 0", "optimizer.step()"),
        (moved(0.0, steps="12"), 1.0, "could not be counted", ""),
        (moved(0.0, dropout_off=8), 1.0, "Dropout is off", "model.train()"),
        (moved(0.0, in_order=12), 1.0, "never shuffled", "shuffle=True"),
    ],
)
def test_what_is_wrong_is_named(slow: dict[str, Any], usual: float, message: str, hint: str) -> None:
    outcome = ask(slow, usual)
    assert outcome.verdict is Verdict.FAILED
    assert message in outcome.message
    assert hint in outcome.hint


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    assert ask(moved(0.0, in_order=12), shuffled=False).verdict is Verdict.PASSED
    assert ask(moved(0.0, dropout_off=12), dropout=False).verdict is Verdict.PASSED


def test_no_count_of_a_tainted_process_is_told() -> None:
    outcome = ask(moved(0.0, steps=735, most=735) | {"tainted": True})
    assert "it took more" in outcome.message
    assert "735" not in f"{outcome.message}{outcome.hint}{outcome.evidence}"


def test_without_a_loop_nothing_passes() -> None:
    assert ask(moved(0.0) | {"loop": None}).verdict is Verdict.FAILED
