"""Queries about grade reports and the summary kept beside them. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, case, func, not_, select, update
from sqlalchemy.orm import Session, defer

from autograder.model import GradeReport, Role, Verdict
from autograder.storage.records import report_to_detail
from autograder.storage.tables import Best, CheckRow, Enrolment, GradeReportRow, ReportFigure, Submission


def in_force(session: Session, submission_ids: Sequence[str], *, detail: bool = True) -> dict[str, GradeReportRow]:
    """The report in force of each submission that has one; without detail, its JSON column is not read."""
    if not submission_ids:
        return {}
    wanted = select(GradeReportRow).where(
        GradeReportRow.submission_id.in_(submission_ids), not_(GradeReportRow.superseded)
    )
    if not detail:
        wanted = wanted.options(defer(GradeReportRow.detail, raiseload=True))
    return {row.submission_id: row for row in session.scalars(wanted)}


def of_job(session: Session, job_id: str) -> GradeReportRow | None:
    """The report of a job, in force or not."""
    return session.scalar(select(GradeReportRow).where(GradeReportRow.job_id == job_id))


def add(
    session: Session,
    *,
    job_id: str,
    submission_id: str,
    spec_digest: str,
    report: GradeReport,
    figures: Sequence[str],
    created: datetime,
) -> None:
    """Store a report and put it in force, unless it would replace a real one with our own failure.

    figures: blob digests. Raises IntegrityError if the job has a report already.
    """
    old = in_force(session, [submission_id], detail=False).get(submission_id)
    keep_old = old is not None and report.verdict is Verdict.GRADER_ERROR and old.verdict != report.verdict.value
    if old is not None and not keep_old:
        session.execute(update(GradeReportRow).where(GradeReportRow.id == old.id).values(superseded=True))
    row = GradeReportRow(
        job_id=job_id,
        submission_id=submission_id,
        superseded=keep_old,
        spec_id=report.spec_id,
        spec_digest=spec_digest,
        verdict=report.verdict.value,
        score=report.score,
        max_score=report.max_score,
        warning=report.warning,
        detail=report_to_detail(report),
        created=created,
    )
    session.add(row)
    session.flush()
    session.add_all(ReportFigure(report_id=row.id, number=n, blob=blob) for n, blob in enumerate(figures))
    session.add_all(
        CheckRow(
            report_id=row.id,
            number=check.number,
            check_id=check.id,
            name=check.name,
            type=check.type,
            stage=check.stage,
            score=check.score,
            max_score=check.max_score,
            verdict=check.verdict.value,
            visibility=check.visibility.value,
            seconds=check.seconds,
        )
        for check in report.checks
    )
    session.flush()


def figures(session: Session, report_ids: Sequence[int]) -> dict[int, list[str]]:
    """Blob digests of the figures of each report, in order."""
    found: dict[int, list[str]] = {}
    wanted = select(ReportFigure).where(ReportFigure.report_id.in_(report_ids))
    for row in session.scalars(wanted.order_by(ReportFigure.report_id, ReportFigure.number)):
        found.setdefault(row.report_id, []).append(row.blob)
    return found


def check_rows(session: Session, report_ids: Sequence[int]) -> dict[int, list[CheckRow]]:
    """The narrow check rows of each report, in order."""
    found: dict[int, list[CheckRow]] = {}
    wanted = select(CheckRow).where(CheckRow.report_id.in_(report_ids))
    for row in session.scalars(wanted.order_by(CheckRow.report_id, CheckRow.number)):
        found.setdefault(row.report_id, []).append(row)
    return found


def refresh_best(session: Session, assignment_id: str, student_id: str) -> None:
    """Work a student's summary line out anew. Hold the enrolment's lock, so that two don't cross."""
    join = and_(GradeReportRow.submission_id == Submission.id, not_(GradeReportRow.superseded))
    rows = session.execute(
        select(Submission.id, Submission.created, GradeReportRow.score, GradeReportRow.verdict)
        .outerjoin(GradeReportRow, join)
        .where(Submission.assignment_id == assignment_id, Submission.student_id == student_id, Submission.attempt > 0)
        .order_by(Submission.attempt)
    ).all()
    if not rows:
        return
    graded = [r for r in rows if r.verdict is not None and r.verdict != Verdict.GRADER_ERROR.value]
    latest = rows[-1]
    best = max(graded, key=lambda r: float(r.score), default=None)  # the first of equals
    session.merge(
        Best(
            assignment_id=assignment_id,
            student_id=student_id,
            latest_id=latest.id,
            latest_score=latest.score if latest in graded else None,
            latest_verdict=latest.verdict,
            best_id=best.id if best else None,
            best_score=best.score if best else None,
            attempts=len(rows),
            last_submitted=latest.created,
        )
    )


def best_of(session: Session, assignment_id: str) -> dict[str, Best]:
    """The summary lines of an assignment by student."""
    return {row.student_id: row for row in session.scalars(select(Best).where(Best.assignment_id == assignment_id))}


def warnings(session: Session, assignment_id: str) -> dict[str, str]:
    """The warning of each submission to an assignment whose report in force has one."""
    rows = session.execute(
        select(GradeReportRow.submission_id, GradeReportRow.warning)
        .join(Submission, Submission.id == GradeReportRow.submission_id)
        .where(Submission.assignment_id == assignment_id, not_(GradeReportRow.superseded), GradeReportRow.warning != "")
    ).all()
    return {row[0]: row[1] for row in rows}


def pass_rates(session: Session, assignment_id: str, course_id: str) -> list[tuple[str, str, int, int]]:
    """Check id, name, how many latest attempts passed it, how many were graded on it. In report order.

    Only students of the course count, and no attempt that ended as grader_error.
    """
    number = func.min(CheckRow.number)
    rows = session.execute(
        select(
            CheckRow.check_id,
            func.max(CheckRow.name),
            func.sum(case((CheckRow.verdict == Verdict.PASSED.value, 1), else_=0)),
            func.count(),
        )
        .select_from(Best)
        .join(GradeReportRow, and_(GradeReportRow.submission_id == Best.latest_id, not_(GradeReportRow.superseded)))
        .join(CheckRow, CheckRow.report_id == GradeReportRow.id)
        .join(Enrolment, and_(Enrolment.user_id == Best.student_id, Enrolment.course_id == course_id))
        .where(
            Best.assignment_id == assignment_id,
            Enrolment.role == Role.STUDENT.value,
            GradeReportRow.verdict != Verdict.GRADER_ERROR.value,
        )
        .group_by(CheckRow.check_id)
        .order_by(number, CheckRow.check_id)
    ).all()
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in rows]
