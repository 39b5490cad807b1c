"""What a process that has seen hidden inputs might answer to get something told, and whether a check told it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from autograder.model import Outcome

NUMBER = 735192
LENGTH = 7351
SHORT = 357  # still taken for a list of words
# What probing/ leaves of names are numbers or known words, and these lists it makes itself.
NAMES = {"name", "type", "found", "official", "missing", "unexpected"}
ITS_OWN = {"answers", "epochs"}
MARKED: list[Any] = [
    NUMBER, float(NUMBER), NUMBER * 1e-6, str(NUMBER), [NUMBER] * 3, {str(NUMBER): NUMBER}, np.array([float(NUMBER)]),
    np.full((6, 3), float(NUMBER)), np.array(float(NUMBER)), np.zeros((LENGTH, 1)), np.zeros((6, LENGTH)),
    np.zeros((LENGTH, 0)), [0] * LENGTH, [[0.5] * LENGTH] * 2, "x" * LENGTH, {str(i): 0 for i in range(LENGTH)},
    ["a"] * SHORT,
]  # fmt: skip


def choosable(path: tuple[Any, ...]) -> bool:
    """True for a place of an observation at which a process that has seen hidden inputs may put what it likes."""
    return not NAMES & {str(part) for part in path} and (not path or path[-1] not in ITS_OWN)


def said(outcome: Outcome) -> str:
    """All that a student can read of an outcome."""
    return json.dumps([outcome.message, outcome.hint, outcome.evidence], ensure_ascii=False)


def told(outcome: Outcome) -> list[str]:
    """The marks that an outcome repeats: values to more than three digits, and lengths."""
    words = said(outcome)
    marks = (str(NUMBER), f"{NUMBER:,}", "7.3519", str(LENGTH), f"{LENGTH:,}", str(SHORT))
    return [mark for mark in marks if mark in words]
