"""From check results to one score and one verdict."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.model import CheckResult, Verdict

_FAULTS = (Verdict.GRADER_ERROR, Verdict.TIMED_OUT, Verdict.OUT_OF_MEMORY, Verdict.OUTPUT_LIMIT, Verdict.CRASHED)


def total(checks: Sequence[CheckResult]) -> tuple[float, float]:
    """Score and maximum: plain sums, rounded to a thousandth of a point."""
    return round(sum(c.score for c in checks), 3), round(sum(c.max_score for c in checks), 3)


def verdict(checks: Sequence[CheckResult]) -> Verdict:
    """One word for the whole: the gravest fault, else failed, else partial, else passed.

    grader_error outranks all; faults of the run outrank wrong answers; skipped checks follow from another check's
    verdict and count as failed where nothing else explains them. A check without points is there for its words and
    decides nothing, but for a fault of ours, or where no check has points. No check at all is a failure, never a pass.
    """
    counted = [c for c in checks if c.max_score > 0 or c.verdict is Verdict.GRADER_ERROR]
    found = {c.verdict for c in counted or checks}
    for fault in _FAULTS:
        if fault in found:
            return fault
    if not found or found & {Verdict.FAILED, Verdict.SKIPPED}:
        return Verdict.FAILED
    return Verdict.PARTIAL if Verdict.PARTIAL in found else Verdict.PASSED
