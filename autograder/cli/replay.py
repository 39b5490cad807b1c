"""`autograder replay JOB`: does a stored grade come out again?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.opening import open_aloud
from autograder.errors import BlobMissing, SandboxError
from autograder.services import replay as replays

console = Console(highlight=False, soft_wrap=True)


def replay(job: Annotated[str, typer.Argument(metavar="JOB", help="Id of a grading job, or of a submission.")]) -> None:
    """Grade a stored job again under its seed and say what differs. Exit code 1 if the grade does. Stores nothing."""
    stored = replays.find(job)
    console.print(f"job {stored.job_id}: {stored.spec_id}, {stored.verdict}, {stored.score:g} of {stored.max_score:g}")
    try:
        sandbox = open_aloud(console)
        try:
            again = replays.replay(stored, sandbox)
        finally:
            sandbox.close()
    except (SandboxError, BlobMissing) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(3) from error
    for line in again.receipt:
        console.print(f"  receipt: {line}", style="yellow", markup=False)
    for line in again.checks:
        console.print(f"  {line}", style="red", markup=False)
    if again.same:
        console.print("[green]the same grade, to the last digit[/]")
        return
    console.print(f"[red]another grade[/]: {again.verdict}, {again.score:g} of {stored.max_score:g}")
    raise typer.Exit(1)
