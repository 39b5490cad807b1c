"""Who may reach what. Everything out of reach is NotFound, whether it exists or not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from autograder.errors import NotFound
from autograder.model import Role
from autograder.services.views import Person
from autograder.storage import people, submissions
from autograder.storage.tables import Assignment, Course, Submission, User


@dataclass(frozen=True, slots=True)
class Membership:
    """An assignment, its course, and what the person is there."""

    assignment: Assignment
    course: Course
    role: Role

    @property
    def instructs(self) -> bool:
        """True for an instructor of the course."""
        return self.role is Role.INSTRUCTOR


def membership(session: Session, person: Person, assignment_id: str) -> Membership:
    """The assignment, if the person is in its course. Raises NotFound."""
    found = people.membership(session, assignment_id, person.id)
    if found is None:
        raise NotFound(
            "There is no such assignment for you.", "Check the address, and that you are enrolled in the course."
        )
    return Membership(*found)


def submission(session: Session, person: Person, submission_id: str) -> tuple[Submission, User, Membership]:
    """A submission with its student: one's own, or any of a course one instructs. Raises NotFound."""
    found = submissions.find(session, submission_id)
    member = people.membership(session, found[0].assignment_id, person.id) if found else None
    if found is None or member is None or (found[0].student_id != person.id and member[2] is not Role.INSTRUCTOR):
        raise NotFound("There is no such submission for you.", "Check the address, and who you are signed in as.")
    return found[0], found[1], Membership(*member)


def instructed(session: Session, person: Person, assignment_id: str) -> Membership:
    """The assignment, if the person instructs its course. Raises NotFound."""
    member = membership(session, person, assignment_id)
    if not member.instructs:
        raise NotFound("There is no such page for you.", "It is for instructors of the course.")
    return member
