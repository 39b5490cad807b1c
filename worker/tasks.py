"""What a wake-up does: grade until nothing waits."""

from __future__ import annotations

import logging
import mmap
import os
import socket
import time
from typing import Any

from celery.signals import worker_process_init, worker_process_shutdown

from autograder.checks import registry
from autograder.config import lanes, settings
from autograder.errors import SandboxError
from autograder.model import Lane
from autograder.queue import TASK
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.services.grade import grade_one
from worker.app import app

_log = logging.getLogger(__name__)
# One byte that the worker's main process and its grading processes share; set once the worker is to end.
_stopping = mmap.mmap(-1, 1)
# This grading process's own; opened once, because that may take seconds.
_sandboxes: dict[Lane, Sandbox] = {}
# Loaded before Celery forks, so that no grading process has to load the checks' libraries itself.
registry.all_checks()


def stop_claiming() -> None:
    """Let every grading process of this worker finish its job and take no other."""
    _stopping[0] = 1


def stopping() -> bool:
    """True once the worker was told to end."""
    return _stopping[0] != 0


@app.task(name=TASK)
def grade_pending(lane: str) -> None:
    """Grade jobs of a lane until none waits. Without a sandbox none is claimed: another worker may have one."""
    sandbox = _sandbox(Lane(lane))
    if sandbox is None:
        time.sleep(settings().sweep_s)
        return
    while not stopping() and grade_one(lane, f"{socket.gethostname()}:{os.getpid()}", sandbox):
        pass


def _sandbox(lane: Lane) -> Sandbox | None:
    """The sandbox of a lane; None, and a word in the log, if there can be none on this machine."""
    if lane not in _sandboxes:
        try:
            _sandboxes[lane] = sandbox = open_sandbox(settings(), gpu=lane is Lane.GPU)
            if warning := sandbox.warning():
                _log.warning("every report of lane %s from here will say: %s", lane, warning)
        except SandboxError as error:
            _log.error("jobs of lane %s can't be graded here: %s", lane, error)
    return _sandboxes.get(lane)


@worker_process_init.connect
def _open_early(**_: Any) -> None:
    """Open the sandboxes while nobody waits for them."""
    for lane in lanes(settings()):
        _sandbox(lane)


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    for sandbox in _sandboxes.values():
        sandbox.close()
    _sandboxes.clear()
