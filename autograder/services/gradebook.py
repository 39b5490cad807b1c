"""Reads: assignments, submissions with their reports, the instructor's table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from autograder.errors import NotFound
from autograder.model import JobState, Lane, Role, Visibility
from autograder.services import access, catalogue, present
from autograder.services.access import Membership
from autograder.services.present import Lens
from autograder.services.views import AssignmentView, Person, ScoreRow, Scores, SubmissionView
from autograder.specs.schema import GraderSpec
from autograder.storage import blobs, jobs, people, reports
from autograder.storage import submissions as rows_of
from autograder.storage.session import now, read_scope, session_scope
from autograder.storage.tables import Assignment, Course, JobProgress, Submission, User


def assignments_for(person: Person) -> tuple[AssignmentView, ...]:
    """Every assignment of every course the person is in, by course and due date."""
    with read_scope() as session:
        rows = people.memberships(session, person.id)
    return tuple(_assignment_view(*row) for row in rows)


def assignment(person: Person, assignment_id: str) -> AssignmentView:
    """One assignment. Raises NotFound."""
    with read_scope() as session:
        member = access.membership(session, person, assignment_id)
    return _assignment_view(member.assignment, member.course, member.role)


def publish(person: Person, assignment_id: str, published: bool = True) -> None:
    """Show (or hide again) results with visibility after_published. Instructors only, else NotFound."""
    with session_scope() as session:
        access.instructed(session, person, assignment_id).assignment.published = published


def submission(person: Person, submission_id: str) -> SubmissionView:
    """A submission with all of its report the person may see now. Raises NotFound."""
    with read_scope() as session:
        row, student, member = access.submission(session, person, submission_id)
        lens = Lens.of(member, now(session))
        job = jobs.newest_of(session, [row.id]).get(row.id)
        found = reports.in_force(session, [row.id]).get(row.id)
        report = None
        if found is not None:
            figures = reports.figures(session, [found.id]).get(found.id, [])
            report = present.full_report(found, lens, len(figures))
            if member.instructs and job is not None:
                report = present.with_error(report, job)
        view = present.submission_view(row, student, member.assignment.title, job, report)
        if job is not None and job.state == JobState.QUEUED.value:
            return present.with_position(view, jobs.ahead_of(session, job))
        progress = session.get(JobProgress, job.id) if job is not None else None
        return present.with_progress(view, progress, lens) if progress is not None else view


def submissions(
    person: Person, assignment_id: str, student_id: str | None = None, limit: int = 500
) -> tuple[SubmissionView, ...]:
    """The last submissions to an assignment, newest first, reports with score and verdict only.

    Students get their own; another student's are NotFound. Instructors get everybody's, or one student's.
    """
    with read_scope() as session:
        member = access.membership(session, person, assignment_id)
        if not member.instructs:
            if student_id not in (None, person.id):
                raise NotFound("There is no such page for you.", "You can see your own submissions.")
            student_id = person.id
        rows = rows_of.newest_first(session, assignment_id, student_id, limit)
        return _light_views(session, member, rows)


def scores(person: Person, assignment_id: str) -> Scores:
    """The instructor's table: a line for every student, and how many passed each check. Else NotFound."""
    with read_scope() as session:
        member = access.instructed(session, person, assignment_id)
        students = people.students(session, member.course.id)
        best = reports.best_of(session, assignment_id)
        warnings = reports.warnings(session, assignment_id)
        rates = reports.pass_rates(session, assignment_id, member.course.id)
    rows = []
    for student in students:
        line = best.get(student.id)
        rows.append(
            ScoreRow(
                student_id=student.id,
                name=student.name,
                email=student.email,
                attempts=line.attempts if line else 0,
                latest_id=line.latest_id if line else None,
                latest_score=line.latest_score if line else None,
                latest_verdict=line.latest_verdict if line else None,
                best_id=line.best_id if line else None,
                best_score=line.best_score if line else None,
                last_submitted=line.last_submitted if line else None,
                latest_warning=warnings.get(line.latest_id or "", "") if line else "",
                best_warning=warnings.get(line.best_id or "", "") if line else "",
            )
        )
    view = _assignment_view(member.assignment, member.course, member.role)
    return Scores(view, tuple(rows), tuple(rates))


def figure(person: Person, submission_id: str, index: int) -> bytes:
    """A PNG the notebook drew, counted from 0. Raises NotFound."""
    with read_scope() as session:
        row, _, _ = access.submission(session, person, submission_id)
        report = reports.in_force(session, [row.id]).get(row.id)
        figures = reports.figures(session, [report.id]).get(report.id, []) if report else []
    if not 0 <= index < len(figures):
        raise NotFound("There is no such figure.", f"This submission has {len(figures)}, counted from 0.")
    return blobs.get(figures[index])


def original(person: Person, submission_id: str) -> tuple[str, bytes]:
    """The upload as it came: file name and content. Raises NotFound."""
    with read_scope() as session:
        row, _, _ = access.submission(session, person, submission_id)
    if row.blob is None:
        raise NotFound("This upload was not kept.", "It was refused because of its size.")
    return row.filename, blobs.get(row.blob)


def version(person: Person, submission_id: str) -> int:
    """A number that grows whenever the submission's page would change. Cheap. Raises NotFound."""
    with read_scope() as session:
        row, _, _ = access.submission(session, person, submission_id)
        return jobs.version(session, row.id)


def _light_views(
    session: Session, member: Membership, rows: Sequence[tuple[Submission, User]]
) -> tuple[SubmissionView, ...]:
    ids = [row.id for row, _ in rows]
    lens = Lens.of(member, now(session))
    newest, found = jobs.newest_of(session, ids), reports.in_force(session, ids, detail=False)
    checks = reports.check_rows(session, [report.id for report in found.values()])
    views = []
    for row, student in rows:
        report = None
        if row.id in found:
            report = present.light_report(found[row.id], checks.get(found[row.id].id, []), lens)
        views.append(present.submission_view(row, student, member.assignment.title, newest.get(row.id), report))
    return tuple(views)


def _asked_for(spec: GraderSpec) -> tuple[str, ...]:
    """What a submission must define, each name once: one function may be asked for in several ways."""
    return tuple(dict.fromkeys(entry.names[0] for entry in spec.entry_points.values() if entry.required))


def _assignment_view(row: Assignment, course: Course, role: Role) -> AssignmentView:
    loaded = catalogue.find_or_none(row.spec_id)
    spec = loaded.spec if loaded else None
    return AssignmentView(
        id=row.id,
        course_id=course.id,
        course_name=course.name,
        title=row.title,
        summary=spec.summary if spec else "",
        spec_id=row.spec_id,
        lane=(spec.lane if spec else Lane.CPU).value,
        points=spec.points if spec else 0.0,
        role=role,
        due=row.due,
        entry_points=_asked_for(spec) if spec else (),
        max_attempts=row.max_attempts,
        cooldown_s=row.cooldown_s,
        published=row.published,
        publishable=loaded is not None and any(c.spec.visibility is Visibility.AFTER_PUBLISHED for c in loaded.checks),
    )
