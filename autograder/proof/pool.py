"""Several gradings at once, each on a sandbox of its own."""

from __future__ import annotations

import bisect
import copy
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from autograder.sandbox.base import Sandbox

Item = TypeVar("Item")
Result = TypeVar("Result")


class PoolClosed(Exception):
    """Nobody gets a sandbox any more: the work as a whole is being given up."""


class _Desk:
    """The free sandboxes and who waits for one: the lowest rank is served first, in each the one that came first."""

    def __init__(self, sandboxes: Sequence[Sandbox]) -> None:
        self._free = list(sandboxes)
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def take(self, rank: int) -> Sandbox:
        with self._changed:
            ticket = (rank, next(self._tickets))
            bisect.insort(self._waiting, ticket)
            try:
                self._changed.wait_for(lambda: self._closed or (self._free and self._waiting[0] == ticket))
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            if self._closed:
                raise PoolClosed
            return self._free.pop()

    def give_back(self, sandbox: Sandbox) -> None:
        with self._changed:
            self._free.append(sandbox)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Pool:
    """Hands sandboxes out, one to a user at a time. The sandboxes stay their owner's to close."""

    def __init__(self, sandboxes: Sequence[Sandbox], idle: Sequence[Sandbox] = ()) -> None:
        """idle: for gradings that mostly wait for a limit, and would leave a core unused."""
        self._desk, self._count, self._rank = _Desk(sandboxes), len(sandboxes) + len(idle), 0
        self._idle = _Desk(idle) if idle else self._desk

    def behind(self, rank: int) -> Pool:
        """The same sandboxes for work that can wait: whoever asks by a pool of a lower rank is served before."""
        other = copy.copy(self)
        other._rank = rank
        return other

    def close(self) -> None:
        """Let nobody have a sandbox any more; who holds one keeps it. Whoever waits or asks gets a PoolClosed."""
        self._desk.close()
        self._idle.close()

    @contextmanager
    def sandbox(self, *, idles: bool = False) -> Iterator[Sandbox]:
        """A sandbox for as long as the block lasts; waits for one. idles: of those for such work. Raises PoolClosed."""
        desk = self._idle if idles else self._desk
        sandbox = desk.take(self._rank)
        try:
            yield sandbox
        finally:
            desk.give_back(sandbox)

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
