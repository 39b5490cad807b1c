"""Makes people, courses, submissions and reports for tests, through the services."""

from __future__ import annotations

import itertools
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from autograder.model import CheckResult, GradeReport, Remark, Role, Verdict, Visibility
from autograder.services import accounts
from autograder.services.submit import submit
from autograder.services.views import Person, SubmissionView
from autograder.storage.session import session_scope
from autograder.storage.tables import User

_numbers = itertools.count(1)
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Class:
    """A course with people and one assignment."""

    course_id: str
    assignment_id: str
    instructor: Person
    students: tuple[Person, ...]


def make_class(
    students: int = 2,
    *,
    spec_id: str = "fake-task",
    due: datetime | None = None,
    max_attempts: int | None = None,
    cooldown_s: int = 0,
) -> Class:
    """A new course, its instructor and students, and an assignment."""
    n = next(_numbers)
    course, assignment = f"course-{n}", f"assignment-{n}"
    accounts.ensure_course(course, f"Course {n}")
    instructor = make_person(f"teacher{n}@example.org", f"Teacher {n}")
    accounts.enrol(course, instructor.id, Role.INSTRUCTOR)
    pupils = []
    for k in range(students):
        person = make_person(f"student{k}.{n}@example.org", f"Student {k}")
        accounts.enrol(course, person.id, Role.STUDENT)
        pupils.append(person)
    accounts.ensure_assignment(assignment, course, spec_id, f"Assignment {n}", due, max_attempts, cooldown_s)
    return Class(course, assignment, instructor, tuple(pupils))


def make_person(email: str, name: str) -> Person:
    """A person whose password is PASSWORD, without the price of hashing it again."""
    person = Person("u_" + secrets.token_hex(8), email, name)
    with session_scope() as session:
        session.add(
            User(id=person.id, email=email, name=name, password_hash=_password_hash(), created=datetime.now(UTC))
        )
    return person


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return PasswordHash((Argon2Hasher(),)).hash(PASSWORD)


def module(*script: str) -> bytes:
    """A submission for tests.fakes: one `# fake` line for each word of the script."""
    return "\n".join([*(f"# fake {line}" for line in script), f"# {next(_numbers)}", "class Net: pass", ""]).encode()


def notebook(*cells: str) -> bytes:
    """A valid notebook with these code cells."""
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def hand_in(person: Person, group: Class, *script: str) -> SubmissionView:
    """Submit a module with a script for tests.fakes."""
    return submit(person, group.assignment_id, "submission.py", module(*script))


def make_check(
    number: int = 1,
    score: float = 1.0,
    max_score: float = 1.0,
    visibility: Visibility = Visibility.VISIBLE,
    **more: object,
) -> CheckResult:
    """A check result; its verdict follows from its score."""
    verdict = Verdict.PASSED if score >= max_score else Verdict.PARTIAL if score > 0 else Verdict.FAILED
    fields = {"verdict": verdict, "id": f"check_{number}", "name": f"Check {number}", "message": f"Message {number}"}
    return CheckResult(
        number=number,
        type="finite",
        stage="Stage",
        score=score,
        max_score=max_score,
        visibility=visibility,
        **{**fields, **more},  # type: ignore[arg-type]
    )


def make_report(*checks: CheckResult, verdict: Verdict | None = None, **more: object) -> GradeReport:
    """A report over these checks (default: one passed)."""
    checks = checks or (make_check(),)
    score, top = sum(c.score for c in checks), sum(c.max_score for c in checks)
    worst = Verdict.PASSED if score >= top else Verdict.PARTIAL if score > 0 else Verdict.FAILED
    fields: dict[str, object] = {
        "remarks": (Remark("skipped", "A cell was skipped", "cell 2"),),
        "output": "printed",
        "receipt": {"spec": "d" * 64},
        "seconds": {"total": 1.0},
    }
    return GradeReport("fake-task", verdict or worst, score, top, checks, **{**fields, **more})  # type: ignore[arg-type]


def soon(seconds: float) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
