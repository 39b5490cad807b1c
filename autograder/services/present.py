"""Database rows as views: what one person may see of a report at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from autograder import scoring
from autograder.model import CheckResult, Remark, Verdict, Visibility
from autograder.services.access import Membership
from autograder.services.views import Refusal, ReportView, SubmissionView
from autograder.storage.records import check_from_json, remarks_from_detail
from autograder.storage.tables import CheckRow, GradeReportRow, GradingJob, JobProgress, Submission, User


@dataclass(frozen=True, slots=True)
class Lens:
    """Through which a person looks at an assignment's results."""

    everything: bool
    past_due: bool
    published: bool

    @staticmethod
    def of(member: Membership, at: datetime) -> Lens:
        """Instructors see everything; a missing due date never passes."""
        assignment = member.assignment
        past_due = assignment.due is not None and at >= assignment.due
        return Lens(member.instructs, past_due, assignment.published)

    def shows(self, visibility: Visibility) -> bool:
        """May a check of this visibility be seen now?"""
        return (
            self.everything
            or {
                Visibility.VISIBLE: True,
                Visibility.AFTER_DUE_DATE: self.past_due,
                Visibility.AFTER_PUBLISHED: self.published,
                Visibility.HIDDEN: False,
            }[visibility]
        )


def full_report(row: GradeReportRow, lens: Lens, figures: int) -> ReportView:
    """A report with all detail of the checks the lens shows."""
    return replace(
        _report(row, [check_from_json(tree) for tree in row.detail["checks"]], lens),
        remarks=remarks_from_detail(row.detail),
        output=row.detail["output"],
        figures=figures,
        receipt=row.detail["receipt"],
        seconds={part: round(seconds, 3) for part, seconds in row.detail["seconds"].items()},  # few bits for a student
    )


def light_report(row: GradeReportRow, rows: Sequence[CheckRow], lens: Lens) -> ReportView:
    """Score, verdict, warning and the number of withheld checks, from narrow rows alone."""
    return replace(_report(row, narrow_checks(rows), lens), checks=())


def _report(row: GradeReportRow, checks: Sequence[CheckResult], lens: Lens) -> ReportView:
    """The checks the lens shows. Score and verdict cover those alone, but our own failure shows always.

    With every check withheld the verdict is `skipped`: nothing was shown to be right or wrong.
    """
    shown = _shown(checks, lens)
    withheld = len(checks) - len(shown)
    verdict, score, max_score = Verdict(row.verdict), row.score, row.max_score
    if withheld:
        score, max_score = scoring.total(shown)
        if verdict is not Verdict.GRADER_ERROR:
            verdict = scoring.verdict(shown) if shown else Verdict.SKIPPED
    return ReportView(
        job_id=row.job_id,
        verdict=verdict,
        score=score,
        max_score=max_score,
        checks=shown,
        remarks=(),
        output="",
        figures=0,
        receipt={},
        seconds={},
        warning=row.warning,
        finished=row.created,
        withheld=withheld,
        withheld_until=Counter(check.visibility for check in checks if not lens.shows(check.visibility)),
    )


def _shown(checks: Sequence[CheckResult], lens: Lens) -> tuple[CheckResult, ...]:
    """The checks the lens shows; where they name one that it does not, the name is left out."""
    secret = [f"“{check.name}”" for check in checks if not lens.shows(check.visibility)]

    def discreet(words: str) -> str:
        for name in secret:
            words = words.replace(name, "another check")
        return words

    shown = [check for check in checks if lens.shows(check.visibility)]
    if not secret:
        return tuple(shown)
    return tuple(replace(check, message=discreet(check.message), hint=discreet(check.hint)) for check in shown)


def narrow_checks(rows: Sequence[CheckRow]) -> list[CheckResult]:
    """Checks without message and evidence: enough for scores and verdicts."""
    return [
        CheckResult(
            number=row.number,
            id=row.check_id,
            name=row.name,
            type=row.type,
            stage=row.stage,
            score=row.score,
            max_score=row.max_score,
            visibility=Visibility(row.visibility),
            verdict=Verdict(row.verdict),
            message="",
            seconds=row.seconds,
        )
        for row in rows
    ]


def submission_view(
    row: Submission, student: User, title: str, job: GradingJob | None, report: ReportView | None
) -> SubmissionView:
    """A submission with its newest job's state."""
    refusal = None
    if row.state == "refused":
        refusal = Refusal(row.refusal_code or "", row.refusal_message or "", row.refusal_hint or "")
    return SubmissionView(
        id=row.id,
        assignment_id=row.assignment_id,
        assignment_title=title,
        student_id=student.id,
        student_name=student.name,
        attempt=row.attempt,
        created=row.created,
        filename=row.filename,
        size=row.size,
        status=job.state if job else "refused",
        started=job.started if job else None,
        tries=job.tries if job else 0,
        refusal=refusal,
        report=report,
    )


def with_position(view: SubmissionView, ahead: int) -> SubmissionView:
    """The view with its place in the queue."""
    return replace(view, position=ahead)


def with_progress(view: SubmissionView, progress: JobProgress, lens: Lens) -> SubmissionView:
    """The view with the checks finished so far. Words about a check that is not shown are left out."""
    checks = [check_from_json(tree) for tree in progress.checks]
    secret = [check.name for check in checks if not lens.shows(check.visibility)]
    activity = "checking" if any(name in progress.activity for name in secret) else progress.activity
    return replace(view, progress=_shown(checks, lens), activity=activity)


def with_error(report: ReportView, job: GradingJob) -> ReportView:
    """For instructors: what went wrong in the last grading."""
    if not job.error:
        return report
    return replace(report, remarks=(*report.remarks, Remark("grader_error", job.error)))
