"""Answers of a few bytes, or of one byte a number, that took the judge gigabytes to look at."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Array, Check, Context
from autograder.config import settings
from autograder.model import Observation, Outcome, Verdict
from autograder.specs.dataset import Case
from autograder.specs.loader import load_spec

MIB = 1 << 20
NAMES = tuple(f"architecture {i}" for i in (1, 2, 3, 4))


@contextmanager
def megabytes_of_work(most: float) -> Iterator[None]:
    """No more memory than that at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most * MIB
    finally:
        tracemalloc.stop()


def own(spec_id: str, kind: str) -> tuple[Check, Any]:
    """A check type of a spec's own, with the parameters that the spec gives it."""
    loaded = load_spec(settings().specs_dir / spec_id)
    found = next(check for check in loaded.checks if check.spec.type == kind)
    return found.check, found.params_for("standin")


@pytest.mark.parametrize(
    "matrix",
    [np.empty((12_000_000, 0), np.uint8), np.zeros((15_000_000, 1), np.uint8), np.zeros((10, 1_000_000), np.uint8)],
    ids=["no columns", "one column", "long rows"],
)
def test_a_matrix_of_too_many_cells_is_told_by_its_lengths(matrix: Array) -> None:
    confusion: dict[str, Any] = dict.fromkeys(NAMES, [[1] * 10] * 10)
    observation = Observation("call", {"value": confusion | {NAMES[0]: matrix}})
    for kind, seen, also in (
        ("test_matrices", observation, {}),
        ("own_table", Observation("call", {"value": {}}), {"confusion": observation}),
        ("own_best", Observation("calls", {"answers": []}), {"confusion": observation}),
    ):
        check, params = own("ccds-compare", kind)
        with megabytes_of_work(2):
            outcome = check.judge(seen, Context(also=also), params)
        assert outcome.verdict is Verdict.FAILED


@pytest.mark.parametrize("after", [np.empty((1 << 24, 0)), np.zeros((3, 1 << 20), np.uint8), np.zeros(1 << 22)])
def test_an_argument_that_comes_back_larger_was_not_kept(after: Array) -> None:
    check = registry.all_checks()["arguments_kept"]
    context = Context(cases={"cases": (Case(([1, 2, 3],)),)})
    observation = Observation("calls", {"cases": "cases", "answers": [{"value": 1, "arguments": [after]}]})
    with megabytes_of_work(2):
        outcome = check.judge(observation, context, check.Params())
    assert outcome.message == "A call changed its argument number 1."


def judged(kind: str, values: dict[str, Any]) -> Outcome:
    check = registry.all_checks()[kind]
    return check.judge(Observation("forward", values), Context(), check.Params())


def test_many_arrays_of_flags_are_looked_at_one_by_one() -> None:
    many = [np.ones(1 << 20, bool)] * 40
    with megabytes_of_work(80):
        assert judged("finite", {"outputs": many}).verdict is Verdict.PASSED
        judged("batch_independence", {"outputs": many, "single": many[:1]})
