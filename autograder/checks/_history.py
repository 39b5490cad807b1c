"""Reads the losses a student's own training function reports, and says where they disagree with the judge's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.checks._values import number, rows

_HELD_OUT = ("val", "test", "dev", "eval", "held")
_SHOWN = 999.0  # a report is cut to two digits below this: too little to carry hidden inputs out


def last_losses(history: Any) -> dict[str, float]:
    """The last loss reported for "training" and "validation", as far as a history names them.

    Understood: a list of numbers (training); a dict of lists whose keys contain "loss"; a list of such dicts, one an
    epoch; two lists (training, validation). Anything else gives nothing; never an error.
    """
    if type(history) is dict:
        return _of_dict(history)
    dicts = rows(history)
    if dicts:
        return _of_dict(dicts[-1])
    if type(history) is list and len(history) == 2 and all(type(part) in (list, np.ndarray) for part in history):
        found = {"training": _last(history[0]), "validation": _last(history[1])}
    else:
        found = {"training": _last(history)}
    return {kind: value for kind, value in found.items() if not math.isnan(value)}


def _of_dict(history: Mapping[Any, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in list(history.items())[:50]:
        name = key.lower() if type(key) is str else ""
        if "loss" in name:
            kind = "validation" if any(word in name for word in _HELD_OUT) else "training"
            last = number(value)
            found.setdefault(kind, _last(value) if math.isnan(last) else last)
    return {kind: value for kind, value in found.items() if not math.isnan(value)}


def _last(values: Any) -> float:
    """The last number of a flat list or array; NaN if there is none."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.size and values.dtype.kind in "fiu":
        return float(values[-1])
    return number(values[-1]) if type(values) is list and values else math.nan


def disagreement(history: Any, measured: Mapping[str, float], doubled: float, guessing: float) -> str:
    """One sentence if the student's last loss is far from the judge's on the same kind of data, with the likely cause.

    measured: by "training" and "validation", what the judge measured after the last epoch. doubled: the judge's loss if
    softmax is applied once more, NaN if the outputs are no probabilities. Empty if they agree or can't be compared.
    Running means lag behind and dropout adds a little: a quarter of the guessing loss is no disagreement.
    """
    for kind, own in last_losses(history).items():
        real = measured.get(kind, math.nan)
        if not (math.isfinite(own) and math.isfinite(real)):
            continue
        if not abs(own - real) > max(0.25 * guessing, 0.4 * real):
            continue
        return (
            f"Your own history ends at {_brief(own)} for {kind} where the grader measures {_brief(real)}: "
            f"{_cause(own, real, doubled, guessing)}"
        )
    return ""


def _cause(own: float, real: float, doubled: float, guessing: float) -> str:
    if own < 0:
        return "a cross entropy is never negative. NLLLoss wants log-probabilities (log_softmax), not probabilities."
    if abs(own - doubled) < 0.1 * guessing:
        return "softmax is applied twice, in forward and again in CrossEntropyLoss."
    if own > 4 * real and own > 2 * guessing:
        return "is it the sum over batches, not divided by their number?"
    if own < real:
        return (
            "is it measured on other data (training instead of validation), or divided twice? Is the model in eval "
            "mode?"
        )
    return "is model.eval() called before evaluating, and is the loss divided by the right number?"


def _brief(value: float) -> str:
    return f"{value:.2g}" if abs(value) < _SHOWN else "more than 999" if value > 0 else "less than -999"
