"""Proves a grader spec: every reference solution is graded for real and must get the verdict its folder names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import pipeline
from autograder.errors import UploadRefused
from autograder.intake import unpack
from autograder.model import CheckResult, GradeReport, Verdict
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet, secret_seed
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution

_UNJUDGED = {Verdict.SKIPPED, Verdict.GRADER_ERROR}


@dataclass(frozen=True)
class Graded:
    """One solution with its report and what was not as expected."""

    solution: Solution
    report: GradeReport
    problems: tuple[str, ...]


def verify(
    loaded: LoadedSpec,
    solutions: Sequence[Solution],
    sandbox: Sandbox,
    *,
    data_dir: Path | None,
    data_secret: str = "",
    seed: int | None = None,
    on_graded: Callable[[Graded], None] = lambda _graded: None,
) -> tuple[list[Graded], list[str]]:
    """Grade every solution; return them and the problems of the spec as a whole. Raises SpecError, SandboxError."""
    data = loaded.build_data(data_dir, secret_seed(loaded.spec.seed, data_secret))
    graded = []
    for solution in solutions:
        one = grade_solution(loaded, solution, sandbox, data, seed)
        graded.append(one)
        on_graded(one)
    return graded, whole_problems(loaded, graded)


def grade_solution(
    loaded: LoadedSpec, solution: Solution, sandbox: Sandbox, data: DataSet, seed: int | None = None
) -> Graded:
    """Grade one solution and compare the report with its expectation."""
    try:
        upload = unpack(solution.filename, solution.data)
    except UploadRefused as refused:
        report = GradeReport(loaded.spec.id, Verdict.FAILED, 0.0, loaded.spec.points, ())
        return Graded(solution, report, (f"refused at the door: {refused.message}",))
    report = pipeline.grade(loaded, upload, sandbox, seed=seed, data=data)
    return Graded(solution, report, tuple(_problems(solution, report)))


def _problems(solution: Solution, report: GradeReport) -> Iterable[str]:
    expect = solution.expect
    if report.verdict is not solution.verdict:
        yield f"verdict is {report.verdict}, expected {solution.verdict}"
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
    said = " ".join(f"{c.message} {c.hint}" for c in report.checks if c.verdict is not Verdict.PASSED)
    for words in expect.says:
        if words.lower() not in said.lower():
            yield f"no message says “{words}”"
    if solution.accepted:
        yield from (f"{c.id}: {c.message}" for c in report.checks if c.verdict is not Verdict.PASSED)


def whole_problems(loaded: LoadedSpec, graded: Sequence[Graded]) -> list[str]:
    """What no single solution shows: a check with points that nothing wrong ever fails, too few solutions."""
    problems = []
    right = [g for g in graded if g.solution.accepted]
    wrong = [g for g in graded if not g.solution.accepted]
    if not right:
        problems.append("there is no accepted solution")
    if not wrong:
        problems.append("there is no wrong solution")
    for check in loaded.checks:
        caught = [g for g in wrong if _caught(g.report.checks, check.spec.id)]
        if wrong and check.spec.points > 0 and not caught:
            problems.append(f"no wrong solution fails the check '{check.spec.id}': it may never catch anything")
    return problems


def _caught(checks: Sequence[CheckResult], check_id: str) -> bool:
    return any(c.id == check_id and c.verdict is not Verdict.PASSED and c.verdict not in _UNJUDGED for c in checks)
