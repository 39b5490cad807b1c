"""`autograder spec`: list and verify grader specs. Needs no database and no broker."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from autograder.cli import author, proof
from autograder.cli.opening import open_pool
from autograder.cli.telling import stop
from autograder.config import settings
from autograder.errors import SandboxError, SpecError
from autograder.model import Verdict
from autograder.proof.pool import Pool
from autograder.proof.rules import Finding, Graded
from autograder.proof.verify import verify
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_all, load_spec
from autograder.specs.solutions import find_solutions
from autograder.text import printable

app = typer.Typer(help="Start, list and prove grader specs.", no_args_is_help=True)
author.register(app)
app.command("mutate")(proof.mutate)
app.command("calibrate")(proof.calibrate)
console = Console()
_SIGNS = {
    Verdict.PASSED: "[green]✓[/]",
    Verdict.PARTIAL: "[yellow]◐[/]",
    Verdict.FAILED: "[red]✗[/]",
    Verdict.SKIPPED: "[dim]·[/]",
    Verdict.TIMED_OUT: "[red]T[/]",
    Verdict.CRASHED: "[red]C[/]",
    Verdict.OUT_OF_MEMORY: "[red]M[/]",
    Verdict.OUTPUT_LIMIT: "[red]O[/]",
    Verdict.GRADER_ERROR: "[magenta]![/]",
}


@app.command("list")
def list_specs() -> None:
    """Every grader spec with its title and points."""
    try:
        specs = load_all(settings().specs_dir)
    except SpecError as error:
        stop(error, console)
    for loaded in specs.values():
        console.print(f"{loaded.spec.id:32} {loaded.spec.points:5g} points  {loaded.spec.title}", highlight=False)


@app.command("verify")
def verify_specs(
    ids: Annotated[list[str] | None, typer.Argument(help="Spec ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Verify every spec.")] = False,
    only: Annotated[str, typer.Option(help="Only solutions whose name contains this.")] = "",
    seed: Annotated[int | None, typer.Option(help="Grading seed; default: the spec's.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every message and hint.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Gradings at once.")] = 2,
) -> None:
    """Grade every reference solution, compare with the verdict its folder names, look at the house rules.

    Exit code 1 if a verdict differs or a rule is broken; warnings leave it at 0.
    """
    conf = settings()
    try:
        specs = [*load_all(conf.specs_dir).values()] if every else [load_spec(conf.specs_dir / i) for i in ids or []]
        if not specs:
            console.print("Name a spec id, or --all. `autograder spec list` shows them.")
            raise typer.Exit(2)
        with open_pool(console, jobs) as pool:
            good = [_verify_one(loaded, pool, only, seed, verbose) for loaded in specs]
    except (SpecError, SandboxError) as error:
        stop(error, console)
    raise typer.Exit(0 if all(good) else 1)


def _verify_one(loaded: LoadedSpec, pool: Pool, only: str, seed: int | None, verbose: bool) -> bool:
    solutions = [s for s in find_solutions(settings().solutions_dir / loaded.folder.name) if only in s.name]

    def show(graded: Graded) -> None:
        mark = "[red]≠[/]" if graded.problems else "[green]=[/]"
        report = graded.report
        console.print(
            f"  {mark} {graded.solution.name:44} {report.verdict:13} {report.score:5g}/{report.max_score:g} "
            f"{report.seconds.get('total', 0):6.1f} s",
            highlight=False,
        )
        for problem in graded.problems:
            console.print(printable(f"      {problem}"), style="red", highlight=False, markup=False)
        if verbose:
            for check in report.checks:
                hint = f" → {check.hint}" if check.hint else ""
                said = printable(f"      {check.id}: {check.verdict}: {check.message}{hint}")
                console.print(said, markup=False, highlight=False)

    def head(data: DataSet) -> None:
        console.print(f"[bold]{loaded.spec.id}[/] on {data.name}, {len(solutions)} solutions")

    conf = settings()
    with console.status("starting") as status:
        graded, found = verify(
            loaded,
            solutions,
            pool,
            data_dir=conf.data_dir,
            data_secret=conf.data_secret,
            seed=seed,
            on_data=head,
            on_graded=show,
            say=lambda words: status.update(words),
        )
    console.print(_table(loaded, graded))
    return _verdict(graded, [] if only else found)


def _verdict(graded: list[Graded], found: list[Finding]) -> bool:
    """Print the rules that don't hold and the end result."""
    for finding in found:
        colour = "red" if finding.error else "yellow"
        word = "error" if finding.error else "warning"
        console.print(f"  {word}: {finding.rule}: {finding.message}", style=colour, markup=False, soft_wrap=True)
    wrong, errors = sum(bool(g.problems) for g in graded), sum(f.error for f in found)
    ok = not wrong and not errors
    console.print("[green]verified[/]" if ok else f"[red]not verified[/]: {wrong} solutions, {errors} rules")
    return ok


def _table(loaded: LoadedSpec, graded: list[Graded]) -> Table:
    names = "  ".join(f"{number} {check.spec.id}" for number, check in enumerate(loaded.checks, 1))
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title="solutions × checks",
        caption=f"✓ passed  ◐ partial  ✗ failed  T time  C crash  M memory  · skipped\n{names}",
    )
    table.add_column("solution", no_wrap=True)
    for number in range(1, len(loaded.checks) + 1):
        table.add_column(str(number), justify="center", no_wrap=True)
    table.add_column("score", justify="right")
    for one in graded:
        signs = {c.id: _SIGNS[c.verdict] for c in one.report.checks}
        table.add_row(one.solution.name, *(signs.get(c.spec.id, "") for c in loaded.checks), f"{one.report.score:g}")
    return table
