"""`autograder spec mutate` and `spec calibrate`: planted mistakes, measured thresholds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.cli.opening import open_pool
from autograder.cli.telling import stop
from autograder.config import settings
from autograder.errors import SandboxError, SpecError
from autograder.model import Lane
from autograder.proof import record
from autograder.proof.calibrate import (
    FALSE_FAIL,
    LEAST_SEEDS,
    Run,
    at_most,
    calibration,
    false_fails,
    runs,
    runs_needed,
    save,
)
from autograder.proof.mutation.run import EQUIVALENTS, Campaign, Fate, Judged, as_json, equivalents, idle, score
from autograder.proof.picture import draw
from autograder.sandbox.runtime import discover
from autograder.specs.calibration import Calibration, path_of
from autograder.specs.dataset import DataSet, secret_seed
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
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show those that changed nothing or are listed.")
    ] = False,
) -> None:
    """Plant mistakes into the accepted solutions and see which checks catch them.

    Exit code 1 below 95 %, or where none was judged.
    """
    conf = settings()
    folder = conf.solutions_dir / spec_id
    with _told():
        loaded, accepted = load_spec(conf.specs_dir / spec_id), _accepted(spec_id, solution)
        listed = equivalents(folder / EQUIVALENTS)
        with open_pool(console, jobs) as pool, _bar() as bar:
            judged = Campaign(loaded, _data(loaded), pool, listed, budget, on_activity=bar).run(accepted)
    _show(judged, verbose)
    if not solution:
        for entry in idle(listed, judged):
            words = f"equivalent.yaml: no mutant is like was: {entry.was} now: {entry.now} ({entry.because})"
            console.print(words, style="yellow", markup=False, soft_wrap=True)
    out = out or conf.var_dir / "proof" / f"{spec_id}-mutation.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(as_json(loaded, judged), indent=1) + "\n", encoding="utf-8")
    if write is not None:
        _write(judged, write)
    if not solution and (path := record.write(loaded, find_solutions(folder), folder, score(judged).counts)):
        console.print(f"recorded in {path}, which `spec handout {spec_id}` asks for", soft_wrap=True)
    raise typer.Exit(0 if score(judged).passes else 1)


def calibrate(
    spec_id: Annotated[str, typer.Argument(metavar="ID", help="Spec id.")],
    seeds: Annotated[int, typer.Option(min=LEAST_SEEDS, help="Runs of each solution.")] = 30,
    false_fail: Annotated[
        float, typer.Option("--false-fail", help="Share of its runs that right work may fail, above 0 and below 0.5.")
    ] = FALSE_FAIL,
    lane: Annotated[Lane | None, typer.Option(help="Must be the spec's lane; named to say what you expect.")] = None,
    data: Annotated[str | None, typer.Option(help="Data set; default: the first that can be built.")] = None,
    only: Annotated[str, typer.Option(help="Only accepted solutions whose name contains this.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Gradings at once.")] = 2,
    dry: Annotated[bool, typer.Option("--dry", help="Print, write nothing.")] = False,
) -> None:
    """Run the accepted solutions under many seeds; write limits that right work seldom misses (1 % of its runs)."""
    if not 0 < false_fail < 0.5:
        raise typer.BadParameter("it must lie between 0 and 0.5, such as 0.01 for 1 %", param_hint="--false-fail")
    conf = settings()
    with _told():
        loaded = load_spec(conf.specs_dir / spec_id, calibrating=True)
        if lane not in (None, loaded.spec.lane):
            raise SpecError(f"{spec_id} runs on the lane {loaded.spec.lane.value}", "Change `lane` in spec.yaml first.")
        solutions = _accepted(spec_id, only)
        total = len(solutions) * seeds
        count = iter(range(1, total + 1))
        with open_pool(console, jobs) as pool, _bar() as bar:
            built = _data(loaded, data)
            found = runs(loaded, built, solutions, seeds, pool, lambda run: bar(run.solution, next(count), total))
        runtime = discover(conf.runtime_python).versions["digest"]
        made = calibration(loaded, built, solutions, seeds, found, runtime, false_fail)
    _show_calibration(loaded, made, found)
    if not dry:
        path = path_of(loaded.folder, made.data, made.lane)
        save(path, made, draw(made))
        console.print(f"written to {path} and {path.with_suffix('.svg').name}")


def _show_calibration(loaded: LoadedSpec, made: Calibration, found: list[Run]) -> None:
    for key, statistic in made.statistics.items():
        sign = "≥" if statistic.direction == "above" else "≤"
        console.print(f"[bold]{key}[/] {sign} [bold]{statistic.threshold:g}[/]")
        for name, spread in statistic.solutions.items():
            low, high = spread.values[0], spread.values[-1]
            console.print(
                f"  {name:40} {low:10.4g} … {high:<10.4g} mean {spread.mean:.4g}, sd {spread.sd:.2g}",
                soft_wrap=True,
            )
    for check in loaded.checks:
        failed, total = false_fails(found, check.spec.id)
        if any(key.startswith(f"{check.spec.id}.") for key in made.statistics):
            console.print(
                f"{check.spec.id}: with the limits in force {failed} of {total} single runs failed "
                f"(at most {at_most(failed, total):.1%})"
            )
    for words in _assumptions(made):
        console.print(words, style="yellow", markup=False, soft_wrap=True)


def _assumptions(made: Calibration) -> Iterator[str]:
    """A sentence on the thresholds that the runs alone do not bear out."""
    rate = f"{100 * made.false_fail:g}%"
    alone = f"{made.seeds} runs of a solution by themselves show at most {at_most(0, made.seeds):.1%}"
    advice = f"--seeds {runs_needed(made.false_fail)} would show {rate} without it"
    for assumed, why in (
        ("normal", f"that right work fails at most {rate} of its runs assumes that values are normally distributed"),
        ("spread", "their values hardly differ or are mostly the best there is, so the step back from them is a guess"),
    ):
        if keys := [key for key, statistic in made.statistics.items() if statistic.assumes == assumed]:
            yield f"{', '.join(keys)}: {why}. {alone}; {advice}."


@contextmanager
def _told() -> Iterator[None]:
    """An error of ours as words and exit code 2."""
    try:
        yield
    except (SpecError, SandboxError) as error:
        stop(error, console)


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A live line: what is being done, how many of how many."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of or None)


def _accepted(spec_id: str, only: str) -> list[Solution]:
    found = [s for s in find_solutions(settings().solutions_dir / spec_id) if s.accepted and only in s.name]
    if not found:
        raise SpecError(f"{spec_id} has no accepted solution called '*{only}*'", "Add one, or ask for another.")
    return found


def _data(loaded: LoadedSpec, only: str | None = None) -> DataSet:
    conf = settings()
    return loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret), only)


def _show(judged: list[Judged], verbose: bool) -> None:
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
        if one.fate is Fate.SURVIVED or (verbose and one.fate in (Fate.SAME, Fate.LISTED)):
            why = f" in equivalent.yaml, {one.because}" if one.because else ""
            console.print(f"{one.fate.value}{why}:\n{one.mutant.diff()}", markup=False, soft_wrap=True)
    _show_score(judged)


def _show_score(judged: list[Judged]) -> None:
    """The score, of how many; or that there is none."""
    found = score(judged)
    counts = found.counts
    if found.score is None or found.strict is None:
        console.print("no score: no mutant was judged, so nothing is proven", style="red")
    else:
        console.print(
            f"score {found.score:.1%} ({counts.get(Fate.KILLED, 0)} killed, {counts.get(Fate.SURVIVED, 0)} survived); "
            f"{found.strict:.1%} if the {counts.get(Fate.SAME, 0)} that changed no observation are counted as "
            f"survivors; {sum(j.seconds for j in judged):.0f} s of grading",
            soft_wrap=True,
        )
    if found.sample:
        console.print(found.sample, style="yellow", soft_wrap=True)


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
