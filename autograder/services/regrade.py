"""Grades a submission once more; the report there is stays in force until the new one is there."""

from __future__ import annotations

from autograder import queue
from autograder.errors import NotFound, UsageError
from autograder.model import JobState
from autograder.services import access, gradebook
from autograder.services.submit import new_job
from autograder.services.views import Person, SubmissionView
from autograder.storage import jobs, people
from autograder.storage.session import now, session_scope


def regrade(person: Person, submission_id: str) -> SubmissionView:
    """Queue a new grading. Instructors only (else NotFound). UsageError if it was refused or is being graded."""
    with session_scope() as session:
        row, _, member = access.submission(session, person, submission_id)
        if not member.instructs:
            raise NotFound("There is no such page for you.", "Only instructors can have a submission graded again.")
        if row.attempt == 0:
            raise UsageError("This upload was refused, so it can't be graded.", "Ask the student to submit again.")
        people.lock_enrolment(session, member.course.id, row.student_id)
        newest = jobs.newest_of(session, [row.id]).get(row.id)
        if newest is not None and newest.state != JobState.DONE.value:
            raise UsageError("This submission is being graded already.", "Wait until it is done.", code="busy")
        job = new_job(row, member.assignment.spec_id, rank=2, at=now(session))
        session.add(job)
    queue.wake(job.lane)
    return gradebook.submission(person, submission_id)
