"""What a wake-up does: grade until nothing waits."""

from __future__ import annotations

import logging
import mmap
import os
import socket
from functools import lru_cache

from autograder.checks import registry
from autograder.config import settings
from autograder.model import Lane
from autograder.queue import TASK
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.services.grade import grade_one
from worker.app import app

_log = logging.getLogger(__name__)
# One byte that the worker's main process and its grading processes share; set once the worker is to end.
_stopping = mmap.mmap(-1, 1)


def stop_claiming() -> None:
    """Let every grading process of this worker finish its job and take no other."""
    _stopping[0] = 1


def stopping() -> bool:
    """True once the worker was told to end."""
    return _stopping[0] != 0


# Loaded before Celery forks, so that no grading process has to load the checks' libraries itself.
registry.all_checks()


@app.task(name=TASK)
def grade_pending(lane: str) -> None:
    """Grade jobs of a lane until none waits."""
    sandbox = _sandbox(Lane(lane))
    while not stopping() and grade_one(lane, f"{socket.gethostname()}:{os.getpid()}", sandbox):
        pass


@lru_cache(maxsize=len(Lane))
def _sandbox(lane: Lane) -> Sandbox:
    """This grading process's sandbox for a lane, made on first use. Raises SandboxUnavailable."""
    return open_sandbox(settings(), gpu=lane is Lane.GPU)
