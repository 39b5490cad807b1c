"""Looks at a sandbox every few milliseconds and says when a limit on the whole process tree is broken."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from autograder.model import Verdict
from autograder.sandbox import endings
from autograder.sandbox.base import Limits
from autograder.sandbox.card import CardUse
from autograder.sandbox.cgroups import Group
from autograder.sandbox.tree import Processes, Sample

log = logging.getLogger(__name__)

TICK_S = 0.025
_TICK_IN_GROUP_S = 0.1  # where the kernel itself holds memory
_SHARE = 8  # a look may cost at most one part in so many of the time …
_LONGEST_S = 0.1  # … but students make looks slow, and must not gain time by it
# What the driver itself takes on the card for a process that uses it, and libraries for their work, is no tensor of the
# student's. PyTorch refuses what goes beyond the limit first, where it is asked for; this is for what does not ask it.
_DRIVERS_OWN_MB = 1024
_SPARE_TASKS = 8  # the kernel's own limit refuses new processes first; this is for when it does not


class Watchdog:
    """Samples a tree on its own thread. `on_break(verdict, message, hint)` is called at most once."""

    def __init__(
        self,
        tree: Processes,
        limits: Limits,
        on_break: Callable[[Verdict, str, str], None],
        group: Group | None = None,
        card: CardUse | None = None,
    ) -> None:
        """group: the control group of the tree, in which the kernel kills single processes over memory.

        card: what the tree uses of a graphics card, watched if limits name a number for it.
        """
        self._card = card if limits.gpu_memory_mb is not None else None
        self._tree = tree
        self._group = group
        self._limits = limits
        self._on_break = on_break
        self._end = threading.Event()
        self.cpu_s = 0.0
        self.peak_memory = 0
        self._looking = threading.Lock()  # a look reads descriptors that all looks share
        self._cpu_before = 0.0
        self._peak_since = 0
        self._thread = threading.Thread(target=self._watch, name="sandbox-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last look and end the thread."""
        self._end.set()
        self._thread.join()

    def since_last(self) -> tuple[float, int]:
        """CPU seconds and peak memory in bytes since this was asked last; looks once, if there is still something."""
        with contextlib.suppress(OSError, ValueError):
            self._look()
        with self._looking:
            spent, peak = self.cpu_s - self._cpu_before, self._peak_since
            self._cpu_before, self._peak_since = self.cpu_s, 0
        return spent, peak

    def _watch(self) -> None:
        tick = TICK_S if self._group is None else _TICK_IN_GROUP_S
        pause = tick
        while True:
            last = self._end.wait(pause)
            begun = time.monotonic()
            try:
                broken = self._look()
            except OSError:  # the namespace is gone, and its /proc with it
                return
            except Exception:
                log.exception("the sandbox watchdog failed")
                self._on_break(Verdict.GRADER_ERROR, "The sandbox could not be watched any more.", "")
                return
            if broken and not last:
                self._on_break(*broken)
                return
            if last:
                return
            pause = min(max(tick, _SHARE * (time.monotonic() - begun)), _LONGEST_S)

    def _look(self) -> tuple[Verdict, str, str] | None:
        with self._looking:
            sample = self._tree.sample(self._limits.memory_mb << 20)
            self.cpu_s = max(self.cpu_s, sample.cpu_s)
            self.peak_memory = max(self.peak_memory, sample.memory)
            self._peak_since = max(self._peak_since, sample.memory)
        if self._group is not None and self._group.ran_out():
            return endings.out_of_memory(self._limits)
        return judge(sample, self._limits) or self._look_at_card()

    def _look_at_card(self) -> tuple[Verdict, str, str] | None:
        limit = self._limits.gpu_memory_mb
        if self._card is None or limit is None or self._card.bytes() <= limit + _DRIVERS_OWN_MB << 20:
            return None
        return endings.out_of_card_memory(limit)


def judge(sample: Sample, limits: Limits) -> tuple[Verdict, str, str] | None:
    """(verdict, message, hint) of the limit a sample breaks, or None."""
    if sample.memory > limits.memory_mb << 20:
        return endings.out_of_memory(limits)
    if sample.cpu_s > limits.cpu_s:
        return (
            Verdict.TIMED_OUT,
            f"Your program used more than {limits.cpu_s:g} s of processor time and was stopped.",
            "Look for a loop that never ends, or do less work.",
        )
    if sample.tasks > limits.processes + _SPARE_TASKS:
        return (
            Verdict.CRASHED,
            f"Your program started more than {limits.processes} processes and threads and was stopped.",
            "Start fewer workers, and wait for those you started.",
        )
    return None
