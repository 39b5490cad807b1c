"""Opens the sandbox that the settings name, for commands that run code on this machine."""

from __future__ import annotations

from rich.console import Console

from autograder.config import settings
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox


def open_aloud(console: Console) -> Sandbox:
    """The sandbox; one that does not isolate fully says so first. Raises SandboxUnavailable."""
    sandbox = open_sandbox(settings())
    if warning := sandbox.warning():
        console.print(warning, style="yellow", markup=False, highlight=False, soft_wrap=True)
    return sandbox
