"""What a process that has seen hidden inputs might answer to get something told, and whether a check told it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from autograder.model import Outcome

NUMBER = 735192
LENGTH = 7351
SHORT = 357  # still taken for a list of words
NEAR = 12  # a count may come less those that are named, or beside those that are right
# What probing/ leaves of names are numbers or known words, and these lists it makes itself.
NAMES = {"name", "type", "found", "official", "missing", "unexpected"}
ITS_OWN = {"answers", "epochs"}
ASKED = "asked"  # what the judge notes beside it
# What lists of parameters, tensors, operations, weights and buffers have, all in one.
ROW: dict[str, Any] = {
    "name": f"number {LENGTH}", "module": f"number {LENGTH}", "op": "relu", "layer": "Linear", "shape": [3, 4],
    "norm": 0.5, "change": 0.0, "out": [[6, NUMBER]], "before": np.zeros(2), "after": np.ones(2),
}  # fmt: skip
MARKED: list[Any] = [
    NUMBER, float(NUMBER), NUMBER * 1e-6, str(NUMBER), [NUMBER] * 3, {str(NUMBER): NUMBER}, np.array([float(NUMBER)]),
    np.full((6, 3), float(NUMBER)), np.array(float(NUMBER)), np.zeros((LENGTH, 1)), np.zeros((6, LENGTH)),
    np.zeros((LENGTH, 0)), [0] * LENGTH, [[0.5] * LENGTH] * 2, "x" * LENGTH, {str(i): 0 for i in range(LENGTH)},
    ["a"] * SHORT, [str(i) for i in range(SHORT)], LENGTH, [3, LENGTH], np.zeros(LENGTH), np.ones(SHORT), [[6, LENGTH]],
    [ROW] * SHORT, [ROW] * LENGTH, [{**ROW, "norm": None}] * SHORT, [{**ROW, "shape": [LENGTH, SHORT]}],
    [{**ROW, "shape": [3, 1, NUMBER, LENGTH], "op": "conv2d"}] * SHORT, [{"error": {"type": "ValueError"}}] * SHORT,
]  # fmt: skip


def choosable(path: tuple[Any, ...]) -> bool:
    """True for a place of an observation at which a process that has seen hidden inputs may put what it likes."""
    fixed = {*NAMES, ASKED} & {str(part) for part in path}
    return not fixed and (not path or path[-1] not in ITS_OWN)


def said(outcome: Outcome) -> str:
    """All that a student can read of an outcome."""
    return json.dumps([outcome.message, outcome.hint, outcome.evidence], ensure_ascii=False)


def told(outcome: Outcome) -> list[str]:
    """The marks that an outcome repeats: values to more than three digits, and counts that are nearly a length."""
    words = said(outcome)
    marks = (str(NUMBER), f"{NUMBER:,}", "7.3519", str(LENGTH), f"{LENGTH:,}", str(SHORT))
    counts = [
        figure for figure in re.findall(r"(?<![.\d])\d[\d,]*\b(?!\.\d)", words) if _is_near(figure.replace(",", ""))
    ]
    return [mark for mark in marks if mark in words] + counts


def _is_near(figure: str) -> bool:
    return len(figure) < 10 and any(abs(int(figure) - length) <= NEAR for length in (SHORT, LENGTH))
