"""`autograder spec verify`: every reference solution under the verdict its folder names, several specs side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table

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

console = Console()
# Specs in work at once: the later ones build their data and grade where the first leaves a sandbox free.
_AT_ONCE = 3
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
        proofs = [_Proof(loaded, only, seed, verbose) for loaded in specs]
        with open_pool(console, jobs, idle=1) as pool:
            good = _side_by_side(proofs, pool)
    except (SpecError, SandboxError) as error:
        stop(error, console)
    raise typer.Exit(0 if all(good) else 1)


def _side_by_side(proofs: Sequence[_Proof], pool: Pool) -> list[bool]:
    """Which specs hold, printed in their order. Raises SpecError, SandboxError."""
    good = []
    with ThreadPoolExecutor(_AT_ONCE) as executor, console.status("starting") as status:
        running = [executor.submit(proof.run, pool.behind(rank)) for rank, proof in enumerate(proofs)]
        try:
            for proof, future in zip(proofs, running, strict=True):
                proof.page.open(status)
                good.append(future.result())
        except BaseException:
            pool.close()
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return good


class _Page:
    """What is printed of one spec: held back until its turn has come, printed at once from then on."""

    def __init__(self) -> None:
        self._held: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._status: Status | None = None
        self._lock = threading.Lock()

    def open(self, status: Status) -> None:
        """Its turn: print what is held."""
        with self._lock:
            self._status = status
            for objects, options in self._held:
                console.print(*objects, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """As Console.print, when the time has come."""
        with self._lock:
            if self._status is None:
                self._held.append((objects, options))
            else:
                console.print(*objects, **options)

    def say(self, words: str) -> None:
        """What is going on, in the line at the foot of the screen."""
        if self._status is not None:
            self._status.update(words)


class _Proof:
    """The proof of one spec, with its page."""

    def __init__(self, loaded: LoadedSpec, only: str, seed: int | None, verbose: bool) -> None:
        found = find_solutions(settings().solutions_dir / loaded.folder.name)
        self._solutions = [s for s in found if only in s.name]
        self._loaded, self._only, self._seed, self._verbose = loaded, only, seed, verbose
        self.page = _Page()

    def run(self, pool: Pool) -> bool:
        """Whether everything holds. Raises SpecError, SandboxError, PoolClosed."""
        conf = settings()
        graded, found = verify(
            self._loaded,
            self._solutions,
            pool,
            data_dir=conf.data_dir,
            data_secret=conf.data_secret,
            seed=self._seed,
            on_data=self._head,
            on_graded=self._show,
            say=self.page.say,
        )
        self.page.print(_table(self._loaded, graded))
        return self._verdict(graded, [] if self._only else found)

    def _head(self, data: DataSet) -> None:
        self.page.print(f"[bold]{self._loaded.spec.id}[/] on {data.name}, {len(self._solutions)} solutions")

    def _show(self, graded: Graded) -> None:
        mark = "[red]≠[/]" if graded.problems else "[green]=[/]"
        report = graded.report
        self.page.print(
            f"  {mark} {graded.solution.name:44} {report.verdict:13} {report.score:5g}/{report.max_score:g} "
            f"{report.seconds.get('total', 0):6.1f} s",
            highlight=False,
        )
        for problem in graded.problems:
            self.page.print(printable(f"      {problem}"), style="red", highlight=False, markup=False)
        if self._verbose:
            for check in report.checks:
                hint = f" → {check.hint}" if check.hint else ""
                said = printable(f"      {check.id}: {check.verdict}: {check.message}{hint}")
                self.page.print(said, markup=False, highlight=False)

    def _verdict(self, graded: list[Graded], found: list[Finding]) -> bool:
        """Print the rules that don't hold and the end result."""
        for finding in found:
            colour = "red" if finding.error else "yellow"
            word = "error" if finding.error else "warning"
            said = f"  {word}: {finding.rule}: {finding.message}"
            self.page.print(said, style=colour, markup=False, soft_wrap=True)
        wrong, errors = sum(bool(g.problems) for g in graded), sum(f.error for f in found)
        ok = not wrong and not errors
        self.page.print("[green]verified[/]" if ok else f"[red]not verified[/]: {wrong} solutions, {errors} rules")
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
