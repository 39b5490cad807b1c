"""The check type checkpoint: what is in the file, what does not fit, and the answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.model import Outcome, Verdict
from tests.checks.contract.checkpoint import CONTEXT, GOOD
from tests.checks.examples import GOOD_LOGITS, judge


def ask(changes: dict[str, Any] | None = None, /, **params: Any) -> Outcome:
    params = {"may_add": ["old.*"], **params}
    return judge("checkpoint", "checkpoint", GOOD["checkpoint"] | (changes or {}), context=CONTEXT, **params)


@pytest.mark.parametrize(
    ("changes", "params", "words"),
    [
        ({}, {"tensors": {"fc.*": [3], "fc.weight": None}}, ""),
        ({}, {"tensors": {"fc.weight": [4, 3]}}, "'fc.weight' must have shape (4, 3)"),
        ({}, {"tensors": {"head.weight": None}}, "There is no tensor 'head.weight'"),
        ({}, {"shapes": [[3, None]]}, ""),
        ({}, {"shapes": [[5, None]]}, "No tensor has shape (5, any)"),
        ({}, {"may_add": []}, "The model does not have old.weight."),
        ({"missing": ["a", "b", "c", "d"]}, {}, "The file lacks a, b, c and 1 more."),
        ({"missing": ["a"]}, {"may_miss": ["*"]}, ""),
        ({"missing": None}, {}, "could not be told"),
        ({"tensors": []}, {}, "holds no tensors"),
        ({"outputs": GOOD_LOGITS * np.nan}, {}, "no finite answers"),
        ({"outputs": GOOD_LOGITS + 1}, {}, ""),
        ({"outputs": GOOD_LOGITS + 0.0039}, {"expected": "right"}, ""),
        ({"outputs": GOOD_LOGITS + 0.0041}, {"expected": "right"}, "answers are wrong"),
        ({"outputs": GOOD_LOGITS[:, :2]}, {"expected": "right"}, "shape (6, 3) were expected"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], params: dict[str, Any], words: str) -> None:
    outcome = ask(changes, **params)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_a_share_of_the_demands() -> None:
    outcome = ask({"outputs": GOOD_LOGITS + 1}, expected="right", partial=True)
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, pytest.approx(2 / 3))
