"""What the operator sees and sets, whoever instructs the course. Nothing that answers the web may import this."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from autograder.errors import NotFound
from autograder.model import Role
from autograder.services import accounts
from autograder.services.views import Added, AssignmentRow, CourseRow, CourseView, Person
from autograder.specs.source import suggest
from autograder.storage import people
from autograder.storage.session import read_scope, session_scope
from autograder.storage.tables import Assignment, Enrolment, User


def courses() -> tuple[CourseRow, ...]:
    """Every course, by id."""
    with read_scope() as session:
        rows = people.courses(session)
    return tuple(CourseRow(course.id, course.name, persons, tasks) for course, persons, tasks in rows)


def course(course_id: str) -> CourseView:
    """A course with its people and assignments. Raises NotFound."""
    with read_scope() as session:
        found = accounts.need_course(session, course_id)
        members = people.everybody(session, course_id)
        tasks = people.assignments(session, course_id)
    return CourseView(
        id=found.id,
        name=found.name,
        people=tuple((Person(user.id, user.email, user.name), role) for user, role in members),
        assignments=tuple(_row(task) for task in tasks),
    )


def assignment(assignment_id: str) -> AssignmentRow:
    """One assignment of any course. Raises NotFound."""
    with read_scope() as session:
        return _row(_assignment(session, assignment_id))


def publish(assignment_id: str, published: bool) -> AssignmentRow:
    """Show results with visibility after_published, or hide them again. Raises NotFound."""
    with session_scope() as session:
        found = _assignment(session, assignment_id)
        found.published = published
    return _row(found)


def add_people(wanted: Mapping[str, str], course_id: str | None = None, role: Role = Role.STUDENT) -> Added:
    """Accounts for those who have none, and places in a course for all of them: everything, or nothing.

    wanted: names by e-mail address. Who has an account or a role in the course keeps it as it is. Raises NotFound for
    the course, UsageError for what is no address.
    """
    names = {accounts.fit_email(email): name for email, name in wanted.items()}
    with read_scope() as session:
        if course_id is not None:
            accounts.need_course(session, course_id)
        known = set(people.users_by_email(session, names))
    passwords = {email: accounts.random_password() for email in names if email not in known}
    hashed = {email: accounts.hash_password(password) for email, password in passwords.items()}  # takes its time
    with session_scope() as session:
        found = people.users_by_email(session, names)  # somebody may have come meanwhile
        new = {email: accounts.add_user(session, email, names[email], hashed[email]) for email in names.keys() - found}
        session.flush()
        other_role = _enrol(session, course_id, found | new, role) if course_id is not None else {}
    made = {email: password for email, password in passwords.items() if email in new}
    return Added(made, tuple(email for email in names if email in found), other_role)


def _enrol(session: Session, course_id: str, users: Mapping[str, User], role: Role) -> dict[str, Role]:
    """Places for those who have none; the addresses of those who have another role, with that."""
    there = {user.email: before for user, before in people.everybody(session, course_id)}
    for email, user in users.items():
        if email not in there:
            session.add(Enrolment(course_id=course_id, user_id=user.id, role=role.value))
    return {email: there[email] for email in users if there.get(email, role) is not role}


def _assignment(session: Session, assignment_id: str) -> Assignment:
    found = session.get(Assignment, assignment_id)
    if found is None:
        known = [task.id for task in people.assignments(session)]
        raise NotFound(f"there is no assignment '{assignment_id[:100]}'", suggest(assignment_id, known))
    return found


def _row(task: Assignment) -> AssignmentRow:
    return AssignmentRow(
        id=task.id,
        course_id=task.course_id,
        spec_id=task.spec_id,
        title=task.title,
        due=task.due,
        max_attempts=task.max_attempts,
        cooldown_s=task.cooldown_s,
        published=task.published,
    )
