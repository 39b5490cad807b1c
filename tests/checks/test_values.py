"""Single values of an untrusted observation: what is believed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograder.checks._values import MAX_SIZE, brief, number, rows, shape, text, whole
from tests.checks.liars import LIARS, WholeNumber


def test_numbers_are_plain_and_finite_floats_can_hold_them() -> None:
    assert (number(3), number(2.5)) == (3.0, 2.5)
    strange: list[Any] = [True, None, "3", 10**400, WholeNumber(3), np.float64(3), [3]]
    assert all(math.isnan(number(value)) for value in strange)


def test_whole_numbers_texts_shapes_and_rows() -> None:
    assert [whole(v) for v in (3, -1, True, 3.0, MAX_SIZE, MAX_SIZE + 1)] == [3, None, None, None, MAX_SIZE, None]
    assert text("a\ud800b", 3) == "a?b"
    assert shape([2, 3]) == (2, 3)
    assert shape([2, -3]) is None
    assert shape([1] * 9) is None
    assert rows([{"a": 1}, 3, None]) == [{"a": 1}]


@pytest.mark.parametrize("liar", LIARS, ids=range(len(LIARS)))
def test_nothing_raises(liar: Any) -> None:
    assert isinstance(number(liar), float)
    assert isinstance(text(liar), str)
    assert isinstance(rows(liar), list)
    assert whole(liar) is None or type(liar) is int
    assert shape(liar) is None or isinstance(shape(liar), tuple)


def test_brief_numbers() -> None:
    assert [brief(v) for v in (735192.0, math.nan, 0.12345)] == ["7.35e+05", "NaN or infinite", "0.123"]
