"""People, log-ins and tokens; courses, roles and assignments."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from datetime import datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from autograder.errors import NotAuthenticated, NotFound, UsageError
from autograder.model import Role
from autograder.services import catalogue
from autograder.services.views import Person
from autograder.storage import people
from autograder.storage.session import now, read_scope, session_scope
from autograder.storage.tables import ApiToken, Assignment, Course, Enrolment, User

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NOTE_USE_EVERY = timedelta(minutes=1)
_LONGEST_PASSWORD = 1024
_hashing = threading.BoundedSemaphore(4)  # one password takes 64 MB for a moment, and anybody may try


def authenticate(email: str, password: str) -> Person:
    """The person with these credentials. Raises NotAuthenticated, as slowly for an unknown address as for a known."""
    with read_scope() as session:
        user = people.user_by_email(session, email)
    with _hashing:
        right = _hasher().verify(_bytes(password), user.password_hash if user else _nobodys_hash())
    if user is None or not right:
        raise NotAuthenticated("E-mail address or password is wrong.", "Check both and try again.")
    return _person(user)


def person_by_token(token: str) -> Person:
    """The owner of a bearer token. Raises NotAuthenticated."""
    digest = _token_hash(token)
    with read_scope() as session:
        user = people.user_by_token(session, digest)
        stale = user is not None and people.token_unused_since(session, digest, now(session) - _NOTE_USE_EVERY)
    if user is None:
        raise NotAuthenticated("This token is not known.", "Make a new one, and send it as: Authorization: Bearer …")
    if stale:
        with session_scope() as session:
            people.touch_token(session, digest, now(session))
    return _person(user)


def person_by_id(person_id: str) -> Person | None:
    """The person of that id, for sessions."""
    with read_scope() as session:
        user = session.get(User, person_id)
    return _person(user) if user else None


def create_token(person_id: str, label: str) -> str:
    """A new bearer token. It can't be shown again: only its hash is kept."""
    token = "agt_" + secrets.token_urlsafe(32)
    with session_scope() as session:
        _need(session.get(User, person_id), "person", person_id)
        session.add(ApiToken(user_id=person_id, token_hash=_token_hash(token), label=label[:200], created=now(session)))
    return token


def create_user(email: str, name: str, password: str) -> Person:
    """A new person. Raises UsageError for an address that is taken or no address, or an unfit password."""
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+", email):
        raise UsageError(f"'{email[:100]}' is no e-mail address", "It looks like name@example.org.")
    if not 8 <= len(password) <= _LONGEST_PASSWORD:
        raise UsageError("The password is too short or too long.", "Use 8 to 1024 characters.")
    hashed = _hasher().hash(_bytes(password))
    with session_scope() as session:
        if people.user_by_email(session, email):
            raise UsageError(f"{email} has an account already", "Use another address.", code="email_taken")
        user = User(
            id="u_" + secrets.token_urlsafe(9),
            email=email,
            name=name.strip()[:200] or email,
            password_hash=hashed,
            created=now(session),
        )
        session.add(user)
        return _person(user)


def ensure_user(email: str, name: str, password: str) -> Person:
    """The person with this address, made if missing; an existing one stays as it is."""
    with read_scope() as session:
        user = people.user_by_email(session, email)
    return _person(user) if user else create_user(email, name, password)


def ensure_course(course_id: str, name: str) -> None:
    """Make a course, or rename it."""
    _check_slug("course", course_id)
    with session_scope() as session:
        session.merge(Course(id=course_id, name=name))


def enrol(course_id: str, person_id: str, role: Role) -> None:
    """Give a person a role in a course; a second call changes it. Raises NotFound."""
    with session_scope() as session:
        _need(session.get(Course, course_id), "course", course_id)
        _need(session.get(User, person_id), "person", person_id)
        session.merge(Enrolment(course_id=course_id, user_id=person_id, role=Role(role).value))


def ensure_assignment(
    assignment_id: str,
    course_id: str,
    spec_id: str,
    title: str,
    due: datetime | None = None,
    max_attempts: int | None = None,
    cooldown_s: int = 0,
) -> None:
    """Make an assignment, or change it. Raises SpecError if its grader spec can't be used, NotFound, UsageError."""
    _check_slug("assignment", assignment_id)
    if due is not None and due.tzinfo is None:
        raise UsageError("the due date has no time zone", "Write it like 2027-01-31T23:59:00+01:00.")
    if (max_attempts is not None and max_attempts < 1) or cooldown_s < 0:
        raise UsageError("max_attempts must be at least 1 and cooldown_s at least 0", "Leave them out for no limit.")
    catalogue.find(spec_id)
    with session_scope() as session:
        _need(session.get(Course, course_id), "course", course_id)
        found = session.get(Assignment, assignment_id)
        if found is None:
            found = Assignment(id=assignment_id, course_id=course_id, published=False, created=now(session))
            session.add(found)
        elif found.course_id != course_id:
            raise UsageError(f"assignment '{assignment_id}' belongs to another course", "Choose another id.")
        found.spec_id, found.title, found.due = spec_id, title, due
        found.max_attempts, found.cooldown_s = max_attempts, cooldown_s


def _person(user: User) -> Person:
    return Person(user.id, user.email, user.name)


def _need(found: object | None, what: str, which: str) -> None:
    if found is None:
        raise NotFound(f"there is no {what} '{which[:100]}'", "Check the id.")


def _check_slug(what: str, value: str) -> None:
    if not _SLUG.fullmatch(value):
        raise UsageError(
            f"'{value[:100]}' can't be the id of a {what}", "Use small letters, digits and '-', at most 64 characters."
        )


def _token_hash(token: str) -> str:
    # Tokens are long and random, so a plain hash can't be guessed back.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _bytes(password: str) -> bytes:
    return password[: _LONGEST_PASSWORD + 1].encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex())
