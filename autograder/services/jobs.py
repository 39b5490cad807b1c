"""The life of a grading job in the database: claim, renew, report progress, commit, fail, sweep.

Every change by a worker is guarded by the fence its claim got, so a worker that was given up for dead can change
nothing any more. No transaction is open while student code runs.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from autograder.config import settings
from autograder.errors import LeaseLost
from autograder.model import CheckResult, GradeReport, JobState, Verdict
from autograder.storage import blobs, jobs, people, reports, submissions
from autograder.storage.records import check_to_json
from autograder.storage.session import now, read_scope, session_scope
from autograder.storage.tables import Assignment, GradingJob, Submission

_log = logging.getLogger(__name__)
_SORRY = (
    "The grading failed for a reason that is our fault, not yours. "
    f"The first {submissions.MOST_REFUNDS} attempts that end so are not counted. "
    "Your instructor can have it graded again; you need not submit it again."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job a worker holds while its lease lasts. seed: None for the spec's own."""

    job_id: str
    fence: int
    worker: str
    lane: str
    submission_id: str
    assignment_id: str
    student_id: str
    spec_id: str
    filename: str
    blob: str
    seed: int | None
    tries: int


def claim(lane: str, worker: str) -> Claim | None:
    """Take the job whose turn it is in a lane, or None. Two workers never get the same one."""
    with session_scope() as session:
        jobs.lock_claims(session)
        at = now(session)
        job = jobs.next_claimable(session, lane, at)
        fence = jobs.take(session, job, worker, at, _lease_end(at)) if job else None
        if job is None or fence is None:
            return None
        submission, assignment = _context(session, job)
        return Claim(
            job_id=job.id,
            fence=fence,
            worker=worker,
            lane=job.lane,
            submission_id=submission.id,
            assignment_id=assignment.id,
            student_id=submission.student_id,
            spec_id=assignment.spec_id,
            filename=submission.filename,
            blob=submission.blob or "",
            seed=job.seed,
            tries=job.tries,
        )


def renew(claim: Claim) -> None:
    """Say that the worker lives. Raises LeaseLost."""
    with session_scope() as session:
        if not jobs.renew_lease(session, claim.job_id, claim.fence, _lease_end(now(session))):
            raise _lost(claim)


def report_progress(claim: Claim, activity: str, checks: Sequence[CheckResult]) -> None:
    """Show where the grading stands. Raises LeaseLost."""
    with session_scope() as session:
        _change(session, claim, lease_until=_lease_end(now(session)))
        jobs.set_progress(session, claim.job_id, activity, [check_to_json(check) for check in checks])


def commit(claim: Claim, report: GradeReport) -> None:
    """End the job with its report, both in one transaction. Raises LeaseLost, ValueError for a score that is none."""
    numbers = [report.score, report.max_score, *(n for c in report.checks for n in (c.score, c.max_score))]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a report's scores must be finite numbers")
    figures = [blobs.put(figure) for figure in report.figures]
    with session_scope() as session:
        _change(session, claim, state=JobState.DONE.value, finished=now(session), lease_until=None, error=None)
        _finish(session, claim.job_id, report, figures)
    _log.info("job %s: %s, %g of %g points", claim.job_id, report.verdict, report.score, report.max_score)


def fail(claim: Claim, message: str, *, final: bool = False) -> None:
    """Our side failed. The job is queued again until its tries are used up (or `final`), then it ends as grader_error.

    message: for instructors; students read that it was not their fault. Raises LeaseLost.
    """
    with session_scope() as session:
        _change(session, claim)
        job = session.get_one(GradingJob, claim.job_id)
        _give_up_or_requeue(session, job, message, final=final)


def hand_back(claim: Claim) -> None:
    """Queue a job again that this worker can't finish because it has to stop. Costs no try. Raises LeaseLost."""
    with session_scope() as session:
        _change(session, claim, state=JobState.QUEUED.value, lease_until=None, worker=None)
        jobs.clear_progress(session, claim.job_id)
    _log.info("job %s: handed back", claim.job_id)


def sweep() -> int:
    """Queue every job again whose worker fell silent, or end it if that happened too often. Returns how many."""
    with read_scope() as session:
        late = [job.id for job in jobs.expired(session, now(session))]
    swept = 0
    for job_id in late:
        with session_scope() as session:
            jobs.lock_claims(session)
            job = session.get_one(GradingJob, job_id)
            if job.state != JobState.RUNNING.value or job.lease_until is None or job.lease_until >= now(session):
                continue
            if jobs.change_held(session, job.id, job.fence):
                message = f"the worker {job.worker} fell silent while grading; it was killed, or its machine failed"
                _give_up_or_requeue(session, job, message)
                swept += 1
    return swept


def waiting(lane: str) -> int:
    """How many jobs of a lane could be claimed now."""
    with read_scope() as session:
        return jobs.count_claimable(session, lane, now(session))


def _lease_end(at: datetime) -> datetime:
    return at + timedelta(seconds=settings().lease_s)


def _change(session: Session, claim: Claim, **values: object) -> None:
    if not jobs.change_held(session, claim.job_id, claim.fence, **values):
        raise _lost(claim)


def _lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"job {claim.job_id} is no longer held by {claim.worker} (fence {claim.fence})")


def _context(session: Session, job: GradingJob) -> tuple[Submission, Assignment]:
    submission = session.get_one(Submission, job.submission_id)
    return submission, session.get_one(Assignment, submission.assignment_id)


def _give_up_or_requeue(session: Session, job: GradingJob, message: str, *, final: bool = False) -> None:
    """Decide what becomes of a running job that died. The caller has guarded the job's row in this transaction."""
    session.refresh(job)
    at = now(session)
    tries = job.tries + 1
    if final or tries >= settings().max_tries:
        _, assignment = _context(session, job)
        done = {"state": JobState.DONE.value, "finished": at, "lease_until": None, "tries": tries, "error": message}
        jobs.change_held(session, job.id, job.fence, **done)
        report = GradeReport(assignment.spec_id, Verdict.GRADER_ERROR, 0.0, 0.0, (), warning=_SORRY)
        _finish(session, job.id, report, [])
        _log.error("job %s: ended as grader_error after %d tries: %s", job.id, tries, message)
        return
    wait = timedelta(seconds=min(2.0 ** (tries - 1), 60.0))
    again = {"state": JobState.QUEUED.value, "available": at + wait, "lease_until": None, "worker": None}
    jobs.change_held(session, job.id, job.fence, **again, tries=tries, error=message)
    jobs.clear_progress(session, job.id)
    _log.warning("job %s: queued again after try %d: %s", job.id, tries, message)


def _finish(session: Session, job_id: str, report: GradeReport, figures: Sequence[str]) -> None:
    job = session.get_one(GradingJob, job_id)
    submission, assignment = _context(session, job)
    people.lock_enrolment(session, assignment.course_id, submission.student_id)
    reports.add(
        session,
        job_id=job.id,
        submission_id=submission.id,
        spec_digest=report.receipt.get("spec", ""),
        report=report,
        figures=figures,
        created=now(session),
    )
    jobs.clear_progress(session, job.id)
    reports.refresh_best(session, assignment.id, submission.student_id)
