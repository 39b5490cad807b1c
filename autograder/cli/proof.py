"""`autograder spec mutate`: how many planted mistakes a spec catches."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.config import settings
from autograder.errors import SandboxError, SpecError
from autograder.proof.mutation.run import GATE, Campaign, Fate, Judged, as_json, equivalents, score
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import secret_seed
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import Solution, find_solutions

console = Console(highlight=False)


def mutate(
    spec_id: Annotated[str, typer.Argument(metavar="ID", help="Spec id.")],
    solution: Annotated[str, typer.Option(help="Only accepted solutions whose name contains this.")] = "",
    budget: Annotated[float, typer.Option(help="Seconds after which no further mutant is started.")] = 600.0,
    jobs: Annotated[int, typer.Option(min=1, help="Gradings at once.")] = 2,
    write: Annotated[Path | None, typer.Option(help="Folder to write survivors to, as wrong solutions.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="File for the results.")] = None,
) -> None:
    """Plant mistakes into the accepted solutions and see which checks catch them. Exit code 1 below 95 %."""
    conf = settings()
    sandboxes: list[Sandbox] = []
    try:
        loaded = load_spec(conf.specs_dir / spec_id)
        solutions = [s for s in find_solutions(conf.solutions_dir / spec_id) if s.accepted and solution in s.name]
        sandboxes += [open_sandbox(conf) for _ in range(jobs)]
        if not solutions:
            raise SpecError(f"{spec_id} has no accepted solution called '*{solution}*'", "Add one, or ask for another.")
        judged = _campaign(loaded, solutions, sandboxes, budget)
    except (SpecError, SandboxError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    finally:
        for sandbox in sandboxes:
            sandbox.close()
    _show(judged)
    out = out or conf.var_dir / "proof" / f"{spec_id}-mutation.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(as_json(loaded, judged), indent=1) + "\n", encoding="utf-8")
    if write is not None:
        _write(judged, write)
    raise typer.Exit(0 if score(judged).score >= GATE else 1)


def _campaign(loaded: LoadedSpec, solutions: list[Solution], sandboxes: list[Sandbox], budget: float) -> list[Judged]:
    conf = settings()
    data = loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret))
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        campaign = Campaign(
            loaded,
            data,
            sandboxes,
            equivalents(conf.solutions_dir / loaded.spec.id / "equivalent.yaml"),
            budget,
            on_activity=lambda what, done, of: progress.update(
                task, description=what, completed=done, total=of or None
            ),
        )
        return campaign.run(solutions)


def _show(judged: list[Judged]) -> None:
    """The table, the survivors as diffs, the score."""
    fates = (Fate.KILLED, Fate.SURVIVED, Fate.SAME, Fate.LISTED, Fate.UNREACHABLE, Fate.NOT_RUN)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("operator")
    for fate in fates:
        table.add_column(fate.value.replace("_", " "), justify="right")
    cells = Counter((j.mutant.operator, j.fate) for j in judged)
    for name in sorted({j.mutant.operator for j in judged}):
        table.add_row(name, *(str(cells[name, fate] or "") for fate in fates))
    console.print(table)
    killers = Counter(j.check for j in judged if j.fate is Fate.KILLED)
    console.print("killed by: " + ", ".join(f"{name} {count}" for name, count in killers.most_common()), markup=False)
    for one in judged:
        if one.fate is Fate.SURVIVED:
            console.print(one.mutant.diff(), markup=False, soft_wrap=True)
    found = score(judged)
    counts = found.counts
    seconds = sum(j.seconds for j in judged)
    console.print(
        f"score {found.score:.1%} ({counts.get(Fate.KILLED, 0)} killed, {counts.get(Fate.SURVIVED, 0)} survived); "
        f"{found.strict:.1%} if the {counts.get(Fate.SAME, 0)} that changed no observation are counted as survivors; "
        f"{seconds:.0f} s of grading"
    )
    if counts.get(Fate.NOT_RUN):
        console.print(f"{counts[Fate.NOT_RUN]} were not run: give --budget more seconds", style="yellow")


def _write(judged: list[Judged], folder: Path) -> None:
    stamp = time.strftime("%H%M%S")
    survivors = [j.mutant for j in judged if j.fate is Fate.SURVIVED]
    for number, mutant in enumerate(survivors, 1):
        here = folder / f"{mutant.operator}_{stamp}_{number}"
        here.mkdir(parents=True)
        suffix = Path(mutant.solution.filename).suffix
        (here / f"submission{suffix}").write_bytes(mutant.data)
        (here / "expect.yaml").write_text(f"# {mutant.what}: {mutant.line[0]} → {mutant.line[1]}\nfails: []\n", "utf-8")
    console.print(f"{len(survivors)} survivors are in {folder}; name the check that must catch each in expect.yaml")
