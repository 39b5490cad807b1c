"""Queries about grading jobs: the queue itself. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, and_, delete, exists, func, or_, select, text, tuple_, update
from sqlalchemy.orm import Session, aliased

from autograder.model import JobState
from autograder.storage.tables import GradingJob, JobProgress

_CLAIM_LOCK = 7_310_002  # any number that nothing else in this database uses
_RECENT = timedelta(minutes=10)


def lock_claims(session: Session) -> None:
    """Only one worker chooses at a time. On SQLite the transaction itself does that."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})


def _claimable(lane: str, at: datetime) -> Select[GradingJob]:
    """Queued jobs of a lane whose student has no running one."""
    other = aliased(GradingJob)
    busy = exists().where(other.student_id == GradingJob.student_id, other.state == JobState.RUNNING.value)
    return select(GradingJob).where(
        GradingJob.state == JobState.QUEUED.value, GradingJob.lane == lane, GradingJob.available <= at, ~busy
    )


def next_claimable(session: Session, lane: str, at: datetime) -> GradingJob | None:
    """Whose turn it is: first attempts, then students served least in the last minutes, then the oldest job."""
    served = (
        select(GradingJob.student_id, func.count().label("jobs"))
        .where(GradingJob.started > at - _RECENT)
        .group_by(GradingJob.student_id)
        .subquery()
    )
    return session.scalar(
        _claimable(lane, at)
        .outerjoin(served, served.c.student_id == GradingJob.student_id)
        .order_by(GradingJob.rank, func.coalesce(served.c.jobs, 0), GradingJob.created, GradingJob.id)
        .limit(1)
    )


def count_claimable(session: Session, lane: str, at: datetime) -> int:
    """How many jobs of a lane could start now (two of one student count twice)."""
    return session.scalar(select(func.count()).select_from(_claimable(lane, at).subquery())) or 0


def take(session: Session, job: GradingJob, worker: str, at: datetime, lease_until: datetime) -> int | None:
    """Make a queued job running; its new fence, or None if it is no longer queued."""
    fence = job.fence + 1
    values = {"started": at, "lease_until": lease_until, "worker": worker, "fence": fence}
    done = _update(
        session,
        and_(GradingJob.id == job.id, GradingJob.fence == job.fence, GradingJob.state == JobState.QUEUED.value),
        {"state": JobState.RUNNING.value, **values},
    )
    return fence if done else None


def change_held(session: Session, job_id: str, fence: int, **values: Any) -> bool:
    """Change a running job on behalf of the holder of `fence`; False if somebody else holds it, or nobody."""
    held = and_(GradingJob.id == job_id, GradingJob.fence == fence, GradingJob.state == JobState.RUNNING.value)
    return _update(session, held, values)


def renew_lease(session: Session, job_id: str, fence: int, lease_until: datetime) -> bool:
    """Move a held job's lease on. Nothing a page shows changes."""
    held = and_(GradingJob.id == job_id, GradingJob.fence == fence, GradingJob.state == JobState.RUNNING.value)
    result = session.execute(update(GradingJob).where(held).values(lease_until=lease_until))
    return cast(CursorResult[Any], result).rowcount == 1


def _update(session: Session, where: Any, values: dict[str, Any]) -> bool:
    change = update(GradingJob).where(where).values(version=GradingJob.version + 1, **values)
    result = session.execute(change.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount == 1


def expired(session: Session, at: datetime) -> Sequence[GradingJob]:
    """Running jobs whose worker has been silent too long."""
    late = and_(GradingJob.state == JobState.RUNNING.value, GradingJob.lease_until < at)
    return session.scalars(select(GradingJob).where(late).order_by(GradingJob.lease_until)).all()


def set_progress(session: Session, job_id: str, activity: str, checks: list[Any]) -> None:
    """Replace what is shown of a running job. Guard it with `change_held` in the same transaction."""
    session.merge(JobProgress(job_id=job_id, activity=activity, checks=checks))


def clear_progress(session: Session, job_id: str) -> None:
    """Forget what was shown of a job that runs no longer."""
    session.execute(delete(JobProgress).where(JobProgress.job_id == job_id))


def newest_of(session: Session, submission_ids: Sequence[str]) -> dict[str, GradingJob]:
    """Each submission's newest job."""
    if not submission_ids:
        return {}
    rows = session.scalars(
        select(GradingJob)
        .where(GradingJob.submission_id.in_(submission_ids))
        .order_by(GradingJob.created, GradingJob.id)
    )
    return {job.submission_id: job for job in rows}


def version(session: Session, submission_id: str) -> int:
    """A number that grows with every change of any of a submission's jobs."""
    found = session.scalar(
        select(func.coalesce(func.sum(GradingJob.version + 1), 0)).where(GradingJob.submission_id == submission_id)
    )
    return int(found or 0)


def ahead_of(session: Session, job: GradingJob) -> int:
    """Queued jobs of the lane that came before this one in its rank, or have a better rank."""
    before = or_(
        GradingJob.rank < job.rank,
        and_(GradingJob.rank == job.rank, tuple_(GradingJob.created, GradingJob.id) < tuple_(job.created, job.id)),
    )
    return (
        session.scalar(
            select(func.count())
            .select_from(GradingJob)
            .where(GradingJob.state == JobState.QUEUED.value, GradingJob.lane == job.lane, before)
        )
        or 0
    )
