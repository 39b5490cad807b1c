"""Scores add up and the gravest verdict wins."""

import pytest

from autograder import scoring
from autograder.model import CheckResult, Verdict, Visibility


def check(verdict: str, score: float = 0.0, most: float = 1.0) -> CheckResult:
    return CheckResult(1, "id", "name", "type", "stage", score, most, Visibility.VISIBLE, Verdict(verdict), "message")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "partial"], "partial"),
        (["partial", "failed"], "failed"),
        (["passed", "skipped"], "failed"),
        (["failed", "crashed"], "crashed"),
        (["crashed", "timed_out", "skipped"], "timed_out"),
        (["out_of_memory", "passed"], "out_of_memory"),
        (["timed_out", "grader_error"], "grader_error"),
        ([], "failed"),
    ],
)
def test_verdict(verdicts: list[str], expected: str) -> None:
    assert scoring.verdict([check(v) for v in verdicts]).value == expected


def test_checks_without_points_decide_only_where_there_are_no_others() -> None:
    assert scoring.verdict([check("passed"), check("failed", most=0.0)]) is Verdict.PASSED
    assert scoring.verdict([check("passed"), check("grader_error", most=0.0)]) is Verdict.GRADER_ERROR
    assert scoring.verdict([check("failed", most=0.0)]) is Verdict.FAILED


def test_total_is_free_of_rounding_dust() -> None:
    assert scoring.total([check("passed", 0.1)] * 3) == (0.3, 3.0)
