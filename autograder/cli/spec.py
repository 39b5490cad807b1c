"""`autograder spec`: list and verify grader specs. Needs no database and no broker."""

from __future__ import annotations

import typer
from rich.console import Console

from autograder.cli import author, proof, verify
from autograder.cli.telling import stop
from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs.loader import load_all

app = typer.Typer(help="Start, list and prove grader specs.", no_args_is_help=True)
author.register(app)
app.command("verify")(verify.verify_specs)
app.command("mutate")(proof.mutate)
app.command("calibrate")(proof.calibrate)
console = Console()


@app.command("list")
def list_specs() -> None:
    """Every grader spec with its title and points."""
    try:
        specs = load_all(settings().specs_dir)
    except SpecError as error:
        stop(error, console)
    for loaded in specs.values():
        console.print(f"{loaded.spec.id:32} {loaded.spec.points:5g} points  {loaded.spec.title}", highlight=False)
