"""Which grading starts when, and in which order results come."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.proof.pool import Pool, PoolClosed
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


def test_work_that_can_wait_gets_what_is_left(sandbox: Sandbox) -> None:
    pool, served = Pool([sandbox]), []

    def use(rank: int) -> None:
        with pool.behind(rank).sandbox():
            served.append(rank)

    with ThreadPoolExecutor(3) as executor, pool.sandbox():
        asked = []
        for rank in (2, 1, 0):
            asked.append(executor.submit(use, rank))
            time.sleep(0.05)
        assert served == []
    assert [future.result() for future in asked] == [None] * 3
    assert served == [0, 1, 2]


def test_work_that_idles_keeps_nobody_else_waiting(sandbox: Sandbox) -> None:
    pool = Pool([sandbox], [sandbox])
    with pool.behind(1).sandbox(idles=True), pool.sandbox():
        pool.close()
        with pytest.raises(PoolClosed), pool.sandbox(idles=True):
            pytest.fail("got a sandbox of a closed pool")


def test_a_closed_pool_serves_nobody(sandbox: Sandbox) -> None:
    pool = Pool([sandbox])

    def use() -> None:
        with pool.behind(1).sandbox():
            pytest.fail("got a sandbox of a closed pool")

    with ThreadPoolExecutor(1) as executor:
        with pool.sandbox():
            waiting = executor.submit(use)
            time.sleep(0.05)
            pool.close()
            with pytest.raises(PoolClosed):
                waiting.result()
        with pytest.raises(PoolClosed):
            use()
