"""What services hand to the outside: plain data, never database rows. Times are aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from autograder.model import CheckResult, Remark, Role, Verdict, Visibility


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person."""

    id: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """An assignment as one person sees it."""

    id: str
    course_id: str
    course_name: str
    title: str
    summary: str
    spec_id: str
    lane: str
    points: float
    role: Role
    due: datetime | None = None
    entry_points: tuple[str, ...] = ()  # official names a submission must define
    max_attempts: int | None = None
    cooldown_s: int = 0
    published: bool = False  # results with visibility after_published are shown
    publishable: bool = False  # there are such results


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """An assignment as the operator set it."""

    id: str
    course_id: str
    spec_id: str
    title: str
    due: datetime | None
    max_attempts: int | None
    cooldown_s: int
    published: bool


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A course in a list."""

    id: str
    name: str
    people: int
    assignments: int


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as its operator sees it: people with their roles, instructors first; assignments by due date."""

    id: str
    name: str
    people: tuple[tuple[Person, Role], ...]
    assignments: tuple[AssignmentRow, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """What adding many people came to. Addresses; a password is kept nowhere else."""

    passwords: Mapping[str, str]  # of new people, by address
    known: tuple[str, ...]  # who had an account, which was left as it is
    other_role: Mapping[str, Role]  # who was in the course in another role, which they keep


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an upload was refused."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A grade report, already cut down to what this person may see now.

    `withheld` counts checks that exist but are not shown now; while it is above zero, score, max_score and verdict
    cover only the shown checks. withheld_until: the same number by visibility, which says when they will be shown.
    warning: a sentence about the sandbox, empty if it isolated fully.
    """

    job_id: str
    verdict: Verdict
    score: float
    max_score: float
    checks: tuple[CheckResult, ...]
    remarks: tuple[Remark, ...]
    output: str
    figures: int
    receipt: dict[str, str]
    seconds: dict[str, float]
    warning: str
    finished: datetime
    withheld: int = 0
    withheld_until: Mapping[Visibility, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission with where it stands."""

    id: str
    assignment_id: str
    assignment_title: str
    student_id: str
    student_name: str
    attempt: int  # 0 for a refused upload, which uses up no attempt
    created: datetime
    filename: str
    size: int
    status: str  # refused | queued | running | done
    position: int = 0  # jobs ahead of it while queued
    started: datetime | None = None
    tries: int = 0
    refusal: Refusal | None = None
    progress: tuple[CheckResult, ...] = ()  # visible checks finished so far while running
    activity: str = ""  # what is being done right now, for people
    report: ReportView | None = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One student's line on the instructor page."""

    student_id: str
    name: str
    email: str
    attempts: int
    latest_id: str | None
    latest_score: float | None
    latest_verdict: str | None
    best_id: str | None
    best_score: float | None
    last_submitted: datetime | None
    latest_warning: str = ""  # of the report behind the score
    best_warning: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """The instructor's table of one assignment."""

    assignment: AssignmentView
    rows: tuple[ScoreRow, ...] = field(default=())
    pass_rates: tuple[tuple[str, str, int, int], ...] = ()  # check id, name, passed, graded (latest attempts)
