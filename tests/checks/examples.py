"""What the tests of check types share: small answers of a model, and how to judge an observation."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.model import Observation, Outcome

Array = np.ndarray[Any, Any]

LABELS = np.array([0, 1, 2, 0, 1, 2])
GOOD_LOGITS = np.eye(3)[LABELS] * 4.0
CONTEXT = Context({"labels": LABELS}, ("cat", "dog", "ship"))

FORWARD = {"outputs": [GOOD_LOGITS, GOOD_LOGITS], "single": [GOOD_LOGITS], "rows": 6, "output_type": "Tensor"}
PREDICT = {"outputs": GOOD_LOGITS, "rows": 6, "output_type": "Tensor"}
TRAIN = {
    "epochs": [{"epoch": 0, "outputs": {"test": GOOD_LOGITS * 0}}, {"epoch": 1, "outputs": {"test": GOOD_LOGITS}}],
    "result": {"epochs": 1, "history": None, "leftover_gradient": {"left": 1.0, "before": 1.0, "one_batch": 1.0}},
    "runs": 1,
}

TEN_LABELS = np.arange(10) % 5
TEN = Context({"labels": TEN_LABELS}, tuple("abcde"))


def judge(kind: str, probe: str, observed: dict[str, Any], /, context: Context = TEN, **params: Any) -> Outcome:
    """What the check type says about an observation, by default of a process that saw nothing hidden."""
    check = registry.all_checks()[kind]
    return check.judge(Observation(probe, {"tainted": False} | observed), context, check.Params.model_validate(params))


def logits_right_on(count: int) -> Array:
    """Scores of ten examples in five classes, of which the first `count` are right (labels: TEN_LABELS)."""
    answers = np.where(np.arange(10) < count, TEN_LABELS, (TEN_LABELS + 1) % 5)
    return np.eye(5)[answers] * 3.0


def training(*curve: Array, **result: Any) -> dict[str, Any]:
    """Values of a train observation whose outputs after each epoch are these."""
    return {"epochs": [{"epoch": i, "outputs": {"val": c, "test": c}} for i, c in enumerate(curve)], "result": result}
