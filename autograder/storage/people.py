"""Queries about people, courses, roles and assignments. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from autograder.model import Role
from autograder.storage.tables import ApiToken, Assignment, Course, Enrolment, User

_AT_ONCE = 500  # databases take only so many values in one question


def user_by_email(session: Session, email: str) -> User | None:
    """The user with this address, whatever its case."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def users_by_email(session: Session, emails: Collection[str]) -> dict[str, User]:
    """The users with these addresses, which are in lower case; those that nobody has are left out."""
    asked = sorted(emails)
    found: dict[str, User] = {}
    for start in range(0, len(asked), _AT_ONCE):
        wanted = select(User).where(User.email.in_(asked[start : start + _AT_ONCE]))
        found |= {user.email: user for user in session.scalars(wanted)}
    return found


def emails(session: Session) -> Sequence[str]:
    """Every address there is."""
    return session.scalars(select(User.email)).all()


def user_by_token(session: Session, token_hash: str) -> User | None:
    """The user a token's hash belongs to."""
    return session.scalar(select(User).join(ApiToken).where(ApiToken.token_hash == token_hash))


def token_unused_since(session: Session, token_hash: str, at: datetime) -> bool:
    """True if a token's last noted use lies before `at`."""
    used = session.scalar(select(ApiToken.last_used).where(ApiToken.token_hash == token_hash))
    return used is None or used < at


def touch_token(session: Session, token_hash: str, at: datetime) -> None:
    """Note that a token was used."""
    session.execute(update(ApiToken).where(ApiToken.token_hash == token_hash).values(last_used=at))


def delete_tokens(session: Session, user_id: str) -> None:
    """Forget every token of a person."""
    session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))


def courses(session: Session) -> Sequence[tuple[Course, int, int]]:
    """Every course with the numbers of its people and its assignments, by id."""
    people = select(func.count()).where(Enrolment.course_id == Course.id).scalar_subquery()
    tasks = select(func.count()).where(Assignment.course_id == Course.id).scalar_subquery()
    return [(row[0], row[1], row[2]) for row in session.execute(select(Course, people, tasks).order_by(Course.id))]


def everybody(session: Session, course_id: str) -> Sequence[tuple[User, Role]]:
    """Who is in a course and as what: instructors first, by name."""
    rows = session.execute(
        select(User, Enrolment.role)
        .join(Enrolment, Enrolment.user_id == User.id)
        .where(Enrolment.course_id == course_id)
        .order_by(Enrolment.role, User.name, User.email)
    )
    return [(row[0], Role(row[1])) for row in rows]


def assignments(session: Session, course_id: str | None = None) -> Sequence[Assignment]:
    """A course's assignments (default: every course's), by due date."""
    wanted = select(Assignment).order_by(Assignment.due.is_(None), Assignment.due, Assignment.created, Assignment.id)
    return session.scalars(wanted.where(Assignment.course_id == course_id) if course_id else wanted).all()


def role(session: Session, course_id: str, user_id: str) -> Role | None:
    """What a person is in a course."""
    found = session.get(Enrolment, (course_id, user_id))
    return Role(found.role) if found else None


def lock_enrolment(session: Session, course_id: str, user_id: str) -> Enrolment | None:
    """The enrolment, locked until the transaction ends: one at a time numbers attempts and sums results."""
    wanted = select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.user_id == user_id)
    return session.scalar(wanted.with_for_update())


def membership(session: Session, assignment_id: str, user_id: str) -> tuple[Assignment, Course, Role] | None:
    """An assignment with its course and the person's role there; None if either is missing."""
    row = session.execute(
        select(Assignment, Course, Enrolment.role)
        .join(Course, Course.id == Assignment.course_id)
        .join(Enrolment, Enrolment.course_id == Course.id)
        .where(Assignment.id == assignment_id, Enrolment.user_id == user_id)
    ).first()
    return (row[0], row[1], Role(row[2])) if row else None


def memberships(session: Session, user_id: str) -> Sequence[tuple[Assignment, Course, Role]]:
    """Every assignment of every course a person is in, by course and due date."""
    rows = session.execute(
        select(Assignment, Course, Enrolment.role)
        .join(Course, Course.id == Assignment.course_id)
        .join(Enrolment, Enrolment.course_id == Course.id)
        .where(Enrolment.user_id == user_id)
        .order_by(Course.name, Course.id, Assignment.due.is_(None), Assignment.due, Assignment.created, Assignment.id)
    )
    return [(row[0], row[1], Role(row[2])) for row in rows]


def students(session: Session, course_id: str) -> Sequence[User]:
    """Everybody enrolled as student, by name."""
    return session.scalars(
        select(User)
        .join(Enrolment, Enrolment.user_id == User.id)
        .where(Enrolment.course_id == course_id, Enrolment.role == Role.STUDENT.value)
        .order_by(User.name, User.email)
    ).all()
