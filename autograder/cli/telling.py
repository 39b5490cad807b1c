"""Tells an error of ours in words."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

from autograder.errors import SandboxError, SpecError


def stop(error: SpecError | SandboxError, console: Console) -> NoReturn:
    """Print an error with what to do and leave with exit code 2."""
    console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    hint = getattr(error, "hint", "")
    if hint:
        console.print(hint, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2) from error
