"""What a worker does besides grading: look for waiting jobs, give expired leases away, end in an orderly way.

Runs as a thread of the worker's main process. The embedded queue lives on it (a look every `poll_s`); with a broker it
is the safety net for lost wake-ups (a look every `sweep_s`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state

from autograder.config import lanes, settings
from autograder.queue import TASK
from autograder.services import catalogue, jobs
from worker.app import app
from worker.tasks import stop_claiming

_log = logging.getLogger(__name__)
# Held while this thread uses the database, so that Celery never forks a grading process in the middle of that.
_no_fork = threading.RLock()
os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)


class Schedule:
    """The loop. `look` and `sweep` may be called by hand in tests."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stop.set()

    def look(self) -> None:
        """Send wake-ups for waiting jobs, as many as there are free hands."""
        for lane in lanes(settings()):
            with _no_fork:
                wanted = jobs.waiting(lane.value)
            free = self._processes - self._outstanding(lane.value) if wanted else 0
            for _ in range(min(wanted, free)):
                app.send_task(TASK, args=[lane.value], queue=lane.value, retry=False)

    def sweep(self) -> None:
        """Queue the jobs of dead workers again."""
        with _no_fork:
            swept = jobs.sweep()
        if swept:
            _log.warning("%d jobs of silent workers were taken from them", swept)

    def tidy(self) -> None:
        """Delete files that specs of the past have left. Once, at the start: it costs nothing to be late."""
        try:
            gone = catalogue.sweep()
        except OSError as error:
            _log.warning("files of data sets were not tidied up: %s", error)
            return
        if gone:
            _log.info("%d files and folders that no spec has a use for were deleted", len(gone))

    def _outstanding(self, lane: str) -> int:
        """Wake-ups sent but not done: those this worker holds and those in the broker."""
        with app.connection_for_write() as connection:
            queued = connection.default_channel.queue_declare(lane).message_count
        return int(queued) + len(state.reserved_requests)

    def _run(self) -> None:
        conf = settings()
        every = conf.poll_s if conf.embedded else conf.sweep_s
        next_sweep = time.monotonic()
        self.tidy()
        while not self._stop.wait(every):
            try:
                if time.monotonic() >= next_sweep:
                    self.sweep()
                    next_sweep = time.monotonic() + conf.sweep_s
                self.look()
            except Exception:
                _log.exception("looking for jobs failed; trying again in %g s", conf.sweep_s)
                self._stop.wait(conf.sweep_s)


_running: list[Schedule] = []


@worker_ready.connect
def _on_ready(sender: Any, **_: Any) -> None:
    schedule = Schedule(sender.controller.concurrency)
    _running.append(schedule)
    schedule.start()


@worker_shutting_down.connect
def _on_shutting_down(**_: Any) -> None:
    stop_claiming()
    for schedule in _running:
        schedule.stop()
