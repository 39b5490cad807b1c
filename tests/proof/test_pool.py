"""Which grading starts when, and in which order results come."""

from __future__ import annotations

import pytest

from autograder.proof.pool import Pool
from autograder.sandbox.base import Sandbox


def test_the_longest_start_first_and_results_keep_their_order(sandbox: Sandbox) -> None:
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        return item * item

    assert list(Pool([sandbox]).map(work, [1, 2, 3, 4], first=lambda item: item > 2)) == [1, 4, 9, 16]
    assert started == [3, 4, 1, 2]


def test_an_error_comes_in_its_place(sandbox: Sandbox) -> None:
    results = Pool([sandbox]).map(lambda item: 1 / item, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
