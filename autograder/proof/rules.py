"""House rules of a proven spec, looked at once all solutions are graded. Errors stop a publication, warnings don't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograder.comparing import differences
from autograder.model import CheckResult, GradeReport, Trust, Verdict
from autograder.proof import leaks
from autograder.proof.watch import Recorder
from autograder.specs.dataset import DataSet
from autograder.specs.folder import TEMPLATE
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution

NEAR = 0.2  # of a limit
_UNJUDGED = {Verdict.SKIPPED, Verdict.GRADER_ERROR}


@dataclass(frozen=True)
class Graded:
    """One solution with its report, what was not as expected, and what the grading saw."""

    solution: Solution
    report: GradeReport
    problems: tuple[str, ...]
    seen: Recorder = field(default_factory=Recorder)


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold, in words."""

    rule: str
    message: str
    error: bool = True


def findings(
    loaded: LoadedSpec,
    data: DataSet,
    graded: Sequence[Graded],
    again: Sequence[Graded] = (),
) -> list[Finding]:
    """Every rule that is broken. again: second gradings of some of the graded solutions."""
    right = [g for g in graded if g.solution.accepted]
    texts = [(g.solution.name, g.report) for g in graded]
    found = [*_solutions(graded), *_uncaught(loaded, graded)]
    for one in right:
        found += [*_near_thresholds(loaded, one), *_near_limits(loaded, one)]
    found += [
        Finding("answers within reach", text) for text in leaks.reachable(loaded, data, [g.solution for g in right])
    ]
    found += [Finding("hidden value in feedback", text) for text in leaks.in_feedback(loaded, data, texts)]
    for second in again:
        found += _differences(next(g for g in graded if g.solution.name == second.solution.name), second)
    found += [*_reported(right), *_still_the_template(loaded)]
    return list(dict.fromkeys(found))


def _differences(first: Graded, second: Graded) -> Iterator[Finding]:
    """What two gradings of one solution don't share."""
    name = first.solution.name
    for text in differences(first.report.checks, second.report.checks):
        yield Finding("two gradings differ", f"{name}: {text}")
    changed = [n for n, digest in first.seen.digests.items() if second.seen.digests.get(n) != digest]
    if changed:
        text = f"{name}: observed differently the second time: {', '.join(changed)}"
        yield Finding("two gradings differ", text, error=False)


def _solutions(graded: Sequence[Graded]) -> Iterator[Finding]:
    if not any(g.solution.accepted for g in graded):
        yield Finding("solutions", "there is no accepted solution")
    if all(g.solution.accepted for g in graded):
        yield Finding("solutions", "there is no wrong solution")


def _uncaught(loaded: LoadedSpec, graded: Sequence[Graded]) -> Iterator[Finding]:
    """A check with points that nothing wrong ever fails."""
    wrong = [g for g in graded if not g.solution.accepted]
    for check in loaded.checks:
        if check.spec.points > 0 and wrong and not any(_caught(g.report.checks, check.spec.id) for g in wrong):
            text = (
                f"no wrong solution fails the check '{check.spec.id}': it may never catch anything. Add a folder to "
                "wrong_answer/ with a mistake that it should catch, or give it `points: 0`"
            )
            yield Finding("a check catches something", text)


def _caught(checks: Sequence[CheckResult], check_id: str) -> bool:
    return any(c.id == check_id and c.verdict is not Verdict.PASSED and c.verdict not in _UNJUDGED for c in checks)


def _near_thresholds(loaded: LoadedSpec, one: Graded) -> Iterator[Finding]:
    """A right solution that hardly passes. Calibrated thresholds are as near as their false-fail rate lets them be."""
    for check in loaded.checks:
        outcome = one.seen.outcomes.get(check.spec.id)
        if check.spec.points <= 0 or outcome is None or outcome.verdict is not Verdict.PASSED:
            continue
        for s in outcome.statistics:
            if s.param not in check.calibrated and not s.margin >= NEAR:
                text = (
                    f"{one.solution.name}: {check.spec.id} measured {s.name} {s.value:.4g}, within {NEAR:.0%} of the "
                    f"limit {s.limit:.4g}; calibrate it, or judge something else"
                )
                yield Finding("room to a threshold", text)


def _near_limits(loaded: LoadedSpec, one: Graded) -> Iterator[Finding]:
    """A right solution that nearly runs out of time or memory."""
    limits = loaded.spec.limits
    used = [
        (f"observation {name}", taken, loaded.spec.observations[name].wall_s or limits.wall_s, "s of wall time")
        for name, taken in one.seen.seconds.items()
    ]
    if limits.gpu_memory_mb is not None:
        used += [
            (f"observation {name}", taken, float(limits.gpu_memory_mb), "MB of the card's memory")
            for name, taken in one.seen.gpu_mb.items()
        ]
    used += [
        ("loading", one.report.seconds.get("load", 0.0), limits.load_s, "s of wall time"),
        ("one process", one.seen.cpu_s, limits.cpu_s, "s of CPU time"),
        ("one process", one.seen.peak_mb, float(limits.memory_mb), "MB of memory"),
    ]
    for what, amount, limit, unit in used:
        if amount > (1 - NEAR) * limit:
            text = f"{one.solution.name}: {what} took {amount:.1f} of {limit:g} {unit}; raise the limit"
            yield Finding("room to a limit", text)


def _reported(right: Sequence[Graded]) -> Iterator[Finding]:
    """Points that hang on the student process's own word: one line for the spec, for its author to weigh."""
    for one in right[:1]:
        reported = [c for c in one.report.checks if c.trust is Trust.REPORTED and c.max_score > 0]
        if reported:
            points, total = sum(c.max_score for c in reported), sum(c.max_score for c in one.report.checks)
            text = (
                f"{points:g} of {total:g} points rest on what the student's process says of itself "
                f"({', '.join(c.id for c in reported)}); judge what is measured where you can"
            )
            yield Finding("measured, not reported", text, error=False)


def _still_the_template(loaded: LoadedSpec) -> Iterator[Finding]:
    """A handout or starter that `spec new` copied and nobody wrote anew: students would read of another task."""
    template = loaded.folder.parent / TEMPLATE
    if loaded.folder.name == TEMPLATE:
        return
    for theirs in (template / "README.md", *sorted((template / "starter").glob("*"))):
        name = theirs.relative_to(template)
        mine = loaded.folder / name
        if theirs.is_file() and mine.is_file() and mine.read_bytes() == theirs.read_bytes():
            text = f"{name} is the template's, which is about another task; write yours"
            yield Finding("written for this task", text, error=False)
