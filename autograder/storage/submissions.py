"""Queries about submissions. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, not_, select
from sqlalchemy.orm import Session

from autograder.model import Verdict
from autograder.storage.tables import GradeReportRow, Submission, User

MOST_REFUNDS = 3  # of one student for one assignment


def find(session: Session, submission_id: str) -> tuple[Submission, User] | None:
    """A submission and its student."""
    row = session.execute(
        select(Submission, User).join(User, User.id == Submission.student_id).where(Submission.id == submission_id)
    ).first()
    return (row[0], row[1]) if row else None


def newest_first(
    session: Session, assignment_id: str, student_id: str | None, limit: int
) -> Sequence[tuple[Submission, User]]:
    """The last submissions to an assignment, of one student or of all."""
    wanted = select(Submission, User).join(User, User.id == Submission.student_id)
    wanted = wanted.where(Submission.assignment_id == assignment_id)
    if student_id is not None:
        wanted = wanted.where(Submission.student_id == student_id)
    rows = session.execute(wanted.order_by(Submission.created.desc(), Submission.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


def last_attempt(session: Session, assignment_id: str, student_id: str) -> int:
    """The highest attempt number so far; 0 if there is none."""
    found = session.scalar(
        select(func.max(Submission.attempt)).where(
            Submission.assignment_id == assignment_id, Submission.student_id == student_id
        )
    )
    return found or 0


def refused_since(session: Session, assignment_id: str, student_id: str, since: datetime) -> int:
    """How many uploads of a student were refused since then."""
    return (
        session.scalar(
            select(func.count()).where(
                Submission.assignment_id == assignment_id,
                Submission.student_id == student_id,
                Submission.attempt == 0,
                Submission.created >= since,
            )
        )
        or 0
    )


def counted(session: Session, assignment_id: str, student_id: str) -> tuple[int, datetime | None]:
    """How many attempts count, and when the last of them came. The first MOST_REFUNDS that ended as grader_error don't.

    Our failures cost nobody an attempt. But who found a submission that makes the grader fail would otherwise have as
    many gradings as they like, with no wait between them.
    """
    theirs = (Submission.assignment_id == assignment_id, Submission.student_id == student_id, Submission.attempt > 0)
    in_force = and_(GradeReportRow.submission_id == Submission.id, not_(GradeReportRow.superseded))
    refunded = (
        select(Submission.id)
        .join(GradeReportRow, in_force)
        .where(*theirs, GradeReportRow.verdict == Verdict.GRADER_ERROR.value)
        .order_by(Submission.attempt)
        .limit(MOST_REFUNDS)
    )
    row = session.execute(
        select(func.count(), func.max(Submission.created, type_=Submission.created.type)).where(
            *theirs, Submission.id.not_in(refunded.subquery().select())
        )
    ).one()
    return row[0], row[1]
