"""Proves a grader spec: every reference solution is graded for real and must get the verdict its folder names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from autograder import pipeline
from autograder.errors import UploadRefused
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.pipeline import Progress
from autograder.proof.calibrate import stale
from autograder.proof.pool import Pool
from autograder.proof.rules import Finding, Graded, findings
from autograder.proof.watch import Recorder, following
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet, secret_seed
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import FOLDERS, Solution
from autograder.text import one_line

Say = Callable[[str], None]  # what is going on, for a live display
AGAIN_S = 2.0  # gradings that took no longer are repeated
AGAIN_SHARE, AGAIN_LEAST_S = 0.05, 5.0  # of the seconds that a spec's gradings take; so many are always spent

_QUOTED = 3  # failed checks whose words are quoted


def verify(
    loaded: LoadedSpec,
    solutions: Sequence[Solution],
    pool: Pool,
    *,
    data_dir: Path | None,
    data_secret: str = "",
    seed: int | None = None,
    on_data: Callable[[DataSet], None] = lambda _data: None,
    on_graded: Callable[[Graded], None] = lambda _graded: None,
    say: Say = lambda _words: None,
) -> tuple[list[Graded], list[Finding]]:
    """Grade every solution, as many at once as the pool has sandboxes; return them and the rules that don't hold.

    on_data: told of the data set that all are graded on, before the first is. Raises SpecError, SandboxError,
    PoolClosed.
    """
    with pool.sandbox():  # building takes a processor as a grading does, so it counts as one
        say("building the data")
        data = loaded.build_data(data_dir, secret_seed(loaded.spec.seed, data_secret))
    on_data(data)
    loaded = loaded.on(data.name)

    def grade(solution: Solution) -> Graded:
        with pool.sandbox(idles=_times_out(solution)) as sandbox:
            return grade_solution(loaded, solution, sandbox, data, seed, say)

    graded: list[Graded] = []
    for one in pool.map(grade, solutions, first=_times_out):
        graded.append(one)
        on_graded(one)
    again = list(pool.map(grade, _cheap(graded)))
    found = findings(loaded, data, graded, again)
    with pool.sandbox() as sandbox:
        old = stale(loaded, data, solutions, sandbox.runtime().get("digest", ""))
    return graded, found + [Finding("calibration", text, error=False) for text in old]


def _times_out(solution: Solution) -> bool:
    return solution.verdict is Verdict.TIMED_OUT


def _cheap(graded: Sequence[Graded]) -> list[Solution]:
    """What to grade a second time: the quickest right solution, and the quickest others while that costs little."""
    seconds = {g.solution.name: g.report.seconds.get("total", 0.0) for g in graded}
    left = max(AGAIN_LEAST_S, AGAIN_SHARE * sum(seconds.values()))
    chosen = sorted((g.solution for g in graded if g.solution.accepted), key=lambda s: seconds[s.name])[:1]
    for one in sorted(graded, key=lambda g: seconds[g.solution.name]):
        left -= seconds[one.solution.name]
        if left < 0 or seconds[one.solution.name] > AGAIN_S:
            break
        if one.solution not in chosen:
            chosen.append(one.solution)
    return chosen


def grade_solution(
    loaded: LoadedSpec,
    solution: Solution,
    sandbox: Sandbox,
    data: DataSet,
    seed: int | None = None,
    say: Say = lambda _words: None,
) -> Graded:
    """Grade one solution and compare the report with its expectation."""
    try:
        upload = unpack(solution.filename, solution.data)
    except UploadRefused as refused:
        report = GradeReport(loaded.spec.id, Verdict.FAILED, 0.0, loaded.spec.points, ())
        return Graded(solution, report, (f"refused at the door: {refused.message}",))
    seen = Recorder()

    def follow(progress: Progress) -> None:
        say(f"{solution.name}: {progress.activity}")

    watched = following(loaded, seen)
    report = pipeline.grade(watched, upload, sandbox, seed=seed, data=data, on_progress=follow, witness=seen)
    return Graded(solution, report, tuple(_problems(solution, report)), seen)


def _quoted(said: Sequence[str]) -> str:
    """What failed checks said, shortened: an author picks the words for `says` from it."""
    if not said:
        return "nothing, since no check failed"
    rest = f" … and {len(said) - _QUOTED} more; -v shows all" if len(said) > _QUOTED else ""
    return " / ".join(f"“{one_line(text, 300)}”" for text in said[:_QUOTED]) + rest


def _why(report: GradeReport) -> str:
    """Which checks made the verdict, and where a solution with it would belong."""
    decided = [check.id for check in report.checks if check.verdict is report.verdict]
    folder = next((name for name, verdict in FOLDERS.items() if verdict is report.verdict), "")
    advice = f"; if that is right, move it to {folder}/ or write `verdict: {report.verdict}` in expect.yaml"
    return f" (because of {', '.join(decided)}{advice if folder else ''})" if decided else ""


def _problems(solution: Solution, report: GradeReport) -> Iterable[str]:
    expect = solution.expect
    if report.verdict is not solution.verdict:
        yield f"verdict is {report.verdict}, expected {solution.verdict}{_why(report)}"
    by_id = {check.id: check for check in report.checks}
    for check_id in (*expect.fails, *expect.passes):
        if check_id not in by_id:
            yield f"expect.yaml names the check '{check_id}', which the spec lacks"
    for check_id in expect.fails:
        if check_id in by_id and by_id[check_id].verdict is Verdict.PASSED:
            yield f"{check_id} passed, but should catch this"
    for check_id in expect.passes:
        if check_id in by_id and by_id[check_id].verdict is not Verdict.PASSED:
            yield f"{check_id} is {by_id[check_id].verdict}, but should pass: {by_id[check_id].message}"
    if not expect.score.min <= report.score <= expect.score.max:
        yield f"score {report.score:g} lies outside {expect.score.min:g} to {expect.score.max:g}"
    said = {
        f"{c.id}: {c.message} {c.hint}".strip(): c.verdict for c in report.checks if c.verdict is not Verdict.PASSED
    }
    for words in expect.says:
        if not any(words.lower() in text.lower() for text in said):
            quoted = _quoted([text for text, verdict in said.items() if verdict is not Verdict.SKIPPED])
            yield f"no failed check says “{words}”; said was: {quoted}"
    if solution.accepted:
        missed = [c for c in report.checks if c.verdict is not Verdict.PASSED and c.max_score > 0]
        yield from (f"{c.id}: {c.message}" for c in missed)
