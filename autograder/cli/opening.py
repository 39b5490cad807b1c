"""Opens the sandbox that the settings name, for commands that run code on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from autograder.config import settings
from autograder.proof.pool import Pool
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox


def open_aloud(console: Console) -> Sandbox:
    """The sandbox; one that does not isolate fully says so first. Raises SandboxUnavailable."""
    sandbox = open_sandbox(settings())
    if warning := sandbox.warning():
        console.print(warning, style="yellow", markup=False, highlight=False, soft_wrap=True)
    return sandbox


@contextmanager
def open_pool(console: Console, jobs: int, *, idle: int = 0) -> Iterator[Pool]:
    """As many sandboxes as gradings run at once, and more for those that wait for limits. Raises SandboxUnavailable."""
    sandboxes: list[Sandbox] = []
    try:
        sandboxes.append(open_aloud(console))
        sandboxes += [open_sandbox(settings()) for _ in range(jobs + idle - 1)]
        yield Pool(sandboxes[:jobs], sandboxes[jobs:])
    finally:
        for sandbox in sandboxes:
            sandbox.close()
