"""Takes uploads: policy, intake, storage, then a wake-up for the workers."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from autograder import queue
from autograder.config import settings
from autograder.errors import PolicyRefused, UploadRefused
from autograder.intake import display_name, unpack
from autograder.model import JobState, Lane
from autograder.services import access, catalogue, gradebook
from autograder.services.access import Membership
from autograder.services.views import Person, SubmissionView
from autograder.storage import blobs, people, reports, submissions
from autograder.storage.session import now, read_scope, session_scope
from autograder.storage.tables import GradingJob, Submission

LATE = "deadline_passed"
REFUSED_A_DAY = 50  # refused uploads kept for one student of an assignment in 24 hours; more are only answered
REFUSED_A_MINUTE = 30  # refused uploads of one person that are looked at: they cost time, and no attempt
_unpacking = threading.BoundedSemaphore(2)  # one may take some hundred megabytes, and a web process has many threads
_refusals: dict[str, deque[float]] = {}  # by person, when; of this process


def submit(person: Person, assignment_id: str, filename: str, data: bytes) -> SubmissionView:
    """Take an upload and queue its grading.

    Raises NotFound (not enrolled), PolicyRefused, UploadRefused. An upload that is late or can't be taken is kept and
    recorded as refused (the error's `submission_id` says where), up to REFUSED_A_DAY of them. Instructors may submit
    too, as themselves and without limits.
    """
    name = display_name(filename)
    received = _Received(person, assignment_id, name, data)
    try:
        with read_scope() as session:
            _check_policy(session, access.membership(session, person, assignment_id), person)
    except PolicyRefused as refusal:
        _keep_late(received, refusal)
        raise
    _check_refusals(person)
    if refused := _refusal(name, data):
        _refusals.setdefault(person.id, deque(maxlen=REFUSED_A_MINUTE)).append(time.monotonic())
        refused.submission_id = _record_refused(received, refused)
        raise refused
    try:
        lane, submission_id = _record_accepted(received)
    except PolicyRefused as refusal:  # the deadline passed while the upload was looked at
        _keep_late(received, refusal)
        raise
    queue.wake(lane)
    return gradebook.submission(person, submission_id)


def _keep_late(received: _Received, refusal: PolicyRefused) -> None:
    """Keep an upload that is late, so that an instructor can still look at it."""
    if refusal.code == LATE:
        refusal.submission_id = _record_refused(received, refusal)


def _refusal(name: str, data: bytes) -> UploadRefused | None:
    """Why the upload can't be taken. A new error: the one that was raised holds on to all that was unpacked."""
    with _unpacking:
        try:
            unpack(name, data, max_mb=settings().max_upload_mb)
        except UploadRefused as error:
            return UploadRefused(error.message, error.hint, error.code)
    return None


def _check_refusals(person: Person) -> None:
    """Raises PolicyRefused while this person had too many refused uploads in the last minute."""
    times = _refusals.get(person.id, ())
    recent = [at for at in times if at > time.monotonic() - 60]
    if not recent:
        _refusals.pop(person.id, None)
    if len(recent) >= REFUSED_A_MINUTE:
        raise PolicyRefused(
            f"{len(recent)} of your uploads in the last minute could not be taken.",
            f"See what was wrong with them; in {int(recent[0] + 60 - time.monotonic()) + 1} s you can send another.",
            code="cooldown",
        )


@dataclass(frozen=True, slots=True)
class _Received:
    person: Person
    assignment_id: str
    filename: str
    data: bytes

    def row(self, at: datetime) -> Submission:
        """The submission's row, as far as it is known before a decision."""
        return Submission(
            id="s_" + secrets.token_urlsafe(16),
            assignment_id=self.assignment_id,
            student_id=self.person.id,
            created=at,
            filename=self.filename,
            size=len(self.data),
        )


def _record_refused(received: _Received, refusal: UploadRefused | PolicyRefused) -> str | None:
    """The id of the record; None if this student has too many of them already."""
    with read_scope() as session:
        since = now(session) - timedelta(days=1)
        if submissions.refused_since(session, received.assignment_id, received.person.id, since) >= REFUSED_A_DAY:
            return None
    small = len(received.data) <= settings().max_upload_mb * 1024 * 1024
    blob = blobs.put(received.data) if small else None
    with session_scope() as session:
        row = received.row(now(session))
        row.attempt, row.state, row.blob = 0, "refused", blob
        row.refusal_code, row.refusal_message, row.refusal_hint = refusal.code, refusal.message, refusal.hint
        session.add(row)
        return row.id


def _record_accepted(received: _Received) -> tuple[str, str]:
    """Lane and submission id, once the blob and all rows are safe."""
    blob = blobs.put(received.data)
    person, assignment_id = received.person, received.assignment_id
    with session_scope() as session:
        member = access.membership(session, person, assignment_id)
        people.lock_enrolment(session, member.course.id, person.id)
        counted = _check_policy(session, member, person)
        row = received.row(now(session))
        row.attempt = submissions.last_attempt(session, assignment_id, person.id) + 1
        row.state, row.blob = "accepted", blob
        session.add(row)
        session.flush()
        job = new_job(row, member.assignment.spec_id, rank=1 if counted else 0, at=row.created)
        session.add(job)
        session.flush()
        reports.refresh_best(session, assignment_id, person.id)
        return job.lane, row.id


def new_job(submission: Submission, spec_id: str, *, rank: int, at: datetime) -> GradingJob:
    """A queued grading of a submission. A spec that can't be loaded now is found out by the worker."""
    loaded = catalogue.find_or_none(spec_id)
    return GradingJob(
        id="j_" + secrets.token_urlsafe(12),
        submission_id=submission.id,
        student_id=submission.student_id,
        state=JobState.QUEUED.value,
        lane=(loaded.spec.lane if loaded else Lane.CPU).value,
        rank=rank,
        created=at,
        available=at,
        seed=loaded.spec.seed if loaded else None,
    )


def _check_policy(session: Session, member: Membership, person: Person) -> int:
    """How many attempts were used; raises PolicyRefused if there may be no other. Instructors may always."""
    assignment, at = member.assignment, now(session)
    used, last = submissions.counted(session, assignment.id, person.id)
    if member.instructs:
        return used
    if assignment.due is not None and at > assignment.due:
        raise PolicyRefused(
            f"The deadline was {assignment.due:%d %B %Y, %H:%M} UTC; submissions are closed.",
            "Your file is kept with the time it came. Ask your instructor if you need more time.",
            code=LATE,
        )
    if assignment.max_attempts is not None and used >= assignment.max_attempts:
        raise PolicyRefused(
            f"You have used {used} of {assignment.max_attempts} attempts.",
            "Ask your instructor if you need another one.",
            code="attempts_used_up",
        )
    wait = (last + timedelta(seconds=assignment.cooldown_s) - at).total_seconds() if last else 0.0
    if wait > 0:
        raise PolicyRefused(
            f"Only one submission every {assignment.cooldown_s} s is taken.",
            f"Submit again in {int(wait) + 1} s.",
            code="cooldown",
        )
    return used
