"""People, log-ins and tokens; courses, roles and assignments."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import PurePath

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.orm import Session

from autograder.errors import NotAuthenticated, NotFound, SpecError, UsageError
from autograder.model import Role
from autograder.services import catalogue
from autograder.services.views import Person
from autograder.specs.loader import LoadedSpec
from autograder.specs.source import nearest, suggest
from autograder.storage import people
from autograder.storage.session import now, read_scope, session_scope
from autograder.storage.tables import ApiToken, Assignment, Course, Enrolment, User

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NOTE_USE_EVERY = timedelta(minutes=1)
_LONGEST_PASSWORD = 1024
_READABLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without what looks alike
_hashing = threading.BoundedSemaphore(4)  # one password takes 64 MB for a moment, and anybody may try


class Keep(Enum):
    """Stands for what a change leaves as it is."""

    KEEP = "keep"


KEEP = Keep.KEEP


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


def password_mark(person_id: str) -> str:
    """What a browser's session keeps of the password that opened it: another one, or nobody's, has another mark."""
    with read_scope() as session:
        user = session.get(User, person_id)
    return _mark(user) if user else ""


def person_of_session(person_id: str, mark: str) -> Person | None:
    """The person of that id, if the mark is still that of their password."""
    with read_scope() as session:
        user = session.get(User, person_id)
    return _person(user) if user and hmac.compare_digest(_mark(user).encode(), mark.encode()) else None


def create_token(person_id: str, label: str) -> str:
    """A new bearer token. It can't be shown again: only its hash is kept."""
    token = "agt_" + secrets.token_urlsafe(32)
    with session_scope() as session:
        _need(session.get(User, person_id), "person", person_id)
        session.add(ApiToken(user_id=person_id, token_hash=_token_hash(token), label=label[:200], created=now(session)))
    return token


def create_user(email: str, name: str, password: str) -> Person:
    """A new person. Raises UsageError for an address that is taken or no address, or an unfit password."""
    email = fit_email(email)
    hashed = hash_password(password)
    with session_scope() as session:
        if people.user_by_email(session, email):
            advice = f"Use another address. For a new password: bin/autograder person password {email}"
            raise UsageError(f"{email} has an account already", advice, code="email_taken")
        return _person(add_user(session, email, name, hashed))


def add_user(session: Session, email: str, name: str, hashed: str) -> User:
    """A new row for a person, whose address is free, fit and in lower case; without a name they go by the address."""
    user = User(
        id="u_" + secrets.token_urlsafe(9),
        email=email,
        name=name.strip()[:200] or email,
        password_hash=hashed,
        created=now(session),
    )
    session.add(user)
    return user


def set_password(email: str, password: str) -> Person:
    """Give the person with this address another password; their tokens and the sessions of their browsers end.

    Raises NotFound, and UsageError for an unfit password.
    """
    hashed = hash_password(password)
    with session_scope() as session:
        user = _user(session, email)
        user.password_hash = hashed
        people.delete_tokens(session, user.id)
    return _person(user)


def fit_email(email: str) -> str:
    """The address as it is kept, in lower case. Raises UsageError if it is none."""
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+", email):
        raise UsageError(f"'{email[:100]}' is no e-mail address", "It looks like name@example.org.")
    return email


def hash_password(password: str) -> str:
    """What is kept of a password; takes a while. Raises UsageError if it is too short or too long."""
    if not 8 <= len(password) <= _LONGEST_PASSWORD:
        raise UsageError("The password is too short or too long.", "Use 8 to 1024 characters.")
    return _hasher().hash(_bytes(password))


def random_password() -> str:
    """A password that can't be guessed, of letters and digits that can be told apart: 14 of 56 have 81 bits."""
    return "".join(secrets.choice(_READABLE) for _ in range(14))


def person_by_email(email: str) -> Person:
    """The person with this address. Raises NotFound, which names an address that is near."""
    with read_scope() as session:
        return _person(_user(session, email))


def ensure_user(email: str, name: str, password: str) -> Person:
    """The person with this address, made if missing; an existing one stays as it is."""
    with read_scope() as session:
        user = people.user_by_email(session, email)
    return _person(user) if user else create_user(email, name, password)


def ensure_course(course_id: str, name: str) -> bool:
    """Make a course, or rename it; True if it is new. Raises UsageError for an unfit id or an empty name."""
    _check_slug("a course", course_id)
    if not name.strip():
        raise UsageError("a course needs a name", "Write it after the id.")
    with session_scope() as session:
        new = session.get(Course, course_id) is None
        session.merge(Course(id=course_id, name=name.strip()))
    return new


def enrol(course_id: str, person_id: str, role: Role) -> Role | None:
    """Give a person a role in a course; a second call changes it. The role they had before. Raises NotFound."""
    with session_scope() as session:
        need_course(session, course_id)
        _need(session.get(User, person_id), "person", person_id)
        before = people.role(session, course_id, person_id)
        session.merge(Enrolment(course_id=course_id, user_id=person_id, role=Role(role).value))
    return before


def unenrol(course_id: str, person_id: str) -> Role:
    """Take a person out of a course; the role they had. What they handed in stays, for the day they come back.

    Raises NotFound, also if they are not in it.
    """
    with session_scope() as session:
        need_course(session, course_id)
        found = people.lock_enrolment(session, course_id, person_id)
        if found is None:
            raise NotFound(f"This person is not in course '{course_id}'.", f"See: course show {course_id}")
        role = Role(found.role)
        session.delete(found)
    return role


def ensure_assignment(
    assignment_id: str,
    course_id: str,
    spec_id: str,
    title: str | Keep,
    due: datetime | Keep | None = None,
    max_attempts: int | Keep | None = None,
    cooldown_s: int | Keep = 0,
) -> bool:
    """Make an assignment, or change it; True if it is new. What is KEEP stays; a new one gets the spec's title then.

    Raises SpecError if its grader spec can't be used, NotFound, UsageError.
    """
    loaded = _spec(spec_id)
    _check_slug("an assignment", assignment_id)
    _check_terms(title, due, max_attempts, cooldown_s)
    with session_scope() as session:
        need_course(session, course_id)
        found = session.get(Assignment, assignment_id)
        new = found is None
        if found is None:
            found = Assignment(id=assignment_id, course_id=course_id, published=False, created=now(session))
            found.title, found.due, found.max_attempts, found.cooldown_s = loaded.spec.title, None, None, 0
            session.add(found)
        elif found.course_id != course_id:
            raise UsageError(
                f"assignment '{assignment_id}' belongs to another course, '{found.course_id}'",
                "Choose another id (--id).",
            )
        found.spec_id = spec_id
        terms = {"title": title, "due": due, "max_attempts": max_attempts, "cooldown_s": cooldown_s}
        for name, value in terms.items():
            if value is not KEEP:
                setattr(found, name, value)
    return new


def need_course(session: Session, course_id: str) -> Course:
    """The course of that id. Raises NotFound, which names what there is."""
    found = session.get(Course, course_id)
    if found is None:
        known = [course.id for course, _, _ in people.courses(session)]
        raise NotFound(
            f"there is no course '{course_id[:100]}'",
            f"{suggest(course_id, known)} Make one with: bin/autograder course add ID NAME",
        )
    return found


def _mark(user: User) -> str:
    return hashlib.sha256(b"session " + user.password_hash.encode()).hexdigest()[:32]


def _person(user: User) -> Person:
    return Person(user.id, user.email, user.name)


def _check_terms(
    title: str | Keep, due: datetime | Keep | None, max_attempts: int | Keep | None, cooldown_s: int | Keep
) -> None:
    if isinstance(title, str) and not title.strip():
        raise UsageError("an assignment needs a title", "Leave it out for the spec's own.")
    if isinstance(due, datetime) and due.tzinfo is None:
        raise UsageError("the due date has no time zone", "Write it like 2027-01-31T23:59:00+01:00.")
    if (isinstance(max_attempts, int) and max_attempts < 1) or (isinstance(cooldown_s, int) and cooldown_s < 0):
        raise UsageError("max_attempts must be at least 1 and cooldown_s at least 0", "Leave them out for no limit.")


def _spec(spec_id: str) -> LoadedSpec:
    if "/" in spec_id:
        raise SpecError(f"'{spec_id[:200]}' is a path, not a spec's id", f"Write: {PurePath(spec_id).name}")
    return catalogue.find(spec_id)


def _user(session: Session, email: str) -> User:
    found = people.user_by_email(session, email)
    if found is None:
        near = nearest(email.strip().lower(), people.emails(session))
        raise NotFound(
            f"nobody has the e-mail address '{email[:100]}'",
            near or "Check it, or make an account with: bin/autograder person add EMAIL NAME",
        )
    return found


def _need(found: object | None, what: str, which: str) -> None:
    if found is None:
        raise NotFound(f"there is no {what} '{which[:100]}'", "Check the id.")


def _check_slug(what: str, value: str) -> None:
    if not _SLUG.fullmatch(value):
        raise UsageError(
            f"'{value[:100]}' can't be the id of {what}", "Use small letters, digits and '-', at most 64 characters."
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
