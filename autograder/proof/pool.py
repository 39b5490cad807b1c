"""Several gradings at once, each on a sandbox of its own."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from autograder.sandbox.base import Sandbox

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool:
    """Hands sandboxes out, one to a user at a time. The sandboxes stay their owner's to close."""

    def __init__(self, sandboxes: Sequence[Sandbox]) -> None:
        self._free: queue.Queue[Sandbox] = queue.Queue()
        self._count = len(sandboxes)
        for sandbox in sandboxes:
            self._free.put(sandbox)

    @contextmanager
    def sandbox(self) -> Iterator[Sandbox]:
        """A sandbox for as long as the block lasts; waits for one."""
        sandbox = self._free.get()
        try:
            yield sandbox
        finally:
            self._free.put(sandbox)

    def map(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        first: Callable[[Item], bool] = lambda _item: False,
    ) -> Iterator[Result]:
        """Results in the order of the items, as many at once as there are sandboxes.

        first: which items to start before the others: the longest, so that no sandbox waits for one of them at the end.
        """
        executor = ThreadPoolExecutor(self._count)
        try:
            listed = list(items)
            order = sorted(range(len(listed)), key=lambda place: not first(listed[place]))
            running = {place: executor.submit(work, listed[place]) for place in order}
            for place in range(len(listed)):
                yield running.pop(place).result()
        finally:
            executor.shutdown(cancel_futures=True)
