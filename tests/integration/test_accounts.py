"""Log-ins, tokens, courses and assignments."""

from datetime import datetime

import pytest

from autograder.errors import NotAuthenticated, NotFound, SpecError, UsageError
from autograder.model import Role
from autograder.services import accounts, gradebook
from autograder.storage import session
from autograder.storage.tables import ApiToken, User
from tests.factories import PASSWORD, make_class


def test_log_in(database: str) -> None:
    person = accounts.create_user("  Ada@Example.ORG ", "Ada", PASSWORD)
    assert person.email == "ada@example.org"
    assert accounts.authenticate("ADA@example.org", PASSWORD) == person
    for email, password in [
        ("ada@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("a\x00@example.org", "\x00"),
        ("ada@example.org", "x" * 1_000_000),
        ("\ud800@example.org", "\ud800"),
    ]:
        with pytest.raises(NotAuthenticated):
            accounts.authenticate(email, password)


def test_a_session_ends_with_the_password(database: str) -> None:
    person = accounts.create_user("ada@example.org", "Ada", PASSWORD)
    mark = accounts.password_mark(person.id)
    assert accounts.person_of_session(person.id, mark) == person
    assert accounts.person_of_session(person.id, "") is None
    for nobody in ("u_gone", "no\x00body"):
        assert accounts.person_of_session(nobody, accounts.password_mark(nobody)) is None
    accounts.set_password(person.email, f"{PASSWORD} too")
    assert accounts.person_of_session(person.id, mark) is None
    assert accounts.person_of_session(person.id, accounts.password_mark(person.id)) == person


def test_passwords_and_tokens_are_kept_as_hashes_only(database: str) -> None:
    person = accounts.create_user("ada@example.org", "Ada", PASSWORD)
    token = accounts.create_token(person.id, "laptop")
    assert accounts.person_by_token(token) == person
    with session.read_scope() as reading:
        row = reading.query(ApiToken).one()
        assert token not in row.token_hash
        assert row.last_used is not None
        assert reading.query(User).one().password_hash.startswith("$argon2")
    for wrong in ("", token + "x", "\x00", "ü" * 10_000):
        with pytest.raises(NotAuthenticated):
            accounts.person_by_token(wrong)
    with pytest.raises(NotFound):
        accounts.create_token("nobody", "x")


def test_what_can_be_no_account_is_refused(database: str) -> None:
    accounts.create_user("ada@example.org", "Ada", PASSWORD)
    for email, password in [("ADA@example.org", PASSWORD), ("no address", PASSWORD), ("b@example.org", "short")]:
        with pytest.raises(UsageError):
            accounts.create_user(email, "x", password)
    assert accounts.ensure_user("ada@example.org", "Other", "another password").name == "Ada"


def test_courses_and_assignments(database: str) -> None:
    accounts.ensure_course("ml", "ML")
    accounts.ensure_course("ml", "Machine Learning")
    person = accounts.create_user("ada@example.org", "Ada", PASSWORD)
    assert gradebook.assignments_for(person) == ()
    accounts.enrol("ml", person.id, Role.STUDENT)
    accounts.ensure_assignment("hw-1", "ml", "fake-task", "First")
    accounts.ensure_assignment("hw-1", "ml", "fake-task", "Homework 1", max_attempts=3)
    (view,) = gradebook.assignments_for(person)
    assert (view.title, view.course_name, view.points, view.role) == ("Homework 1", "Machine Learning", 10, "student")
    assert view.entry_points == ("Net",)
    assert view.max_attempts == 3
    accounts.enrol("ml", person.id, Role.INSTRUCTOR)
    assert gradebook.assignment(person, "hw-1").role is Role.INSTRUCTOR


def test_wrong_assignments_are_refused(database: str) -> None:
    group = make_class()
    for wrong in (
        lambda: accounts.ensure_assignment("x", group.course_id, "no-such-spec", "X"),
        lambda: accounts.ensure_assignment("x", "no-course", "fake-task", "X"),
        lambda: accounts.ensure_assignment("Not a slug", group.course_id, "fake-task", "X"),
        lambda: accounts.ensure_assignment("x", group.course_id, "fake-task", "X", due=datetime(2027, 1, 1)),
        lambda: accounts.ensure_assignment("x", group.course_id, "fake-task", "X", max_attempts=0),
        lambda: accounts.ensure_assignment(group.assignment_id, make_class().course_id, "fake-task", "X"),
        lambda: accounts.enrol("no-course", group.instructor.id, Role.STUDENT),
        lambda: accounts.ensure_course("../x", "X"),
    ):
        with pytest.raises(UsageError):
            wrong()
    with pytest.raises(SpecError, match="no-such-spec"):
        accounts.ensure_assignment("x", group.course_id, "no-such-spec", "X")
