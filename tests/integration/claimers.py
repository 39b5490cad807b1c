"""What a grading process does with the queue, without the grading: run in many processes at once."""

from __future__ import annotations

import os
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event, Semaphore

from autograder.model import GradeReport, Verdict
from autograder.services import jobs


def drain(ready: Semaphore, go: Event, results: Queue[list[str]]) -> None:
    """Claim and commit until nothing waits; tell which jobs were claimed."""
    ready.release()
    go.wait()
    claimed = []
    while True:
        claim = jobs.claim("cpu", f"w{os.getpid()}")
        if claim is not None:
            claimed.append(claim.job_id)
            jobs.commit(claim, GradeReport("fake-task", Verdict.PASSED, 1.0, 1.0, ()))
        elif jobs.waiting("cpu") == 0:
            break
    results.put(claimed)
