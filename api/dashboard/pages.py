"""What each page shows, as one frozen dataclass a page. Templates read these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from api.dashboard.plots import Plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the frame around every page needs. refresh: seconds until a browser without scripts loads it again, or 0."""

    title: str
    person: str = ""
    csrf: str = ""
    refresh: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A message above a page's content: what happened and what to do."""

    heading: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage(Page):
    """The sign-in form. next: local path to go to afterwards."""

    next: str
    email: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """Anything that can't be shown."""

    status: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One row of an attempts table. score is empty where there is none. mark: about the sandbox, in two words."""

    id: str
    attempt: int
    created: datetime
    filename: str
    verdict: str
    label: str
    score: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class AssignmentCard:
    """One assignment on the first page."""

    id: str
    title: str
    summary: str
    points: str
    due: datetime | None
    overdue: bool
    latest: AttemptLine | None


@dataclass(frozen=True, slots=True)
class CourseBlock:
    """A course with its assignments. teaches: the person is its instructor."""

    name: str
    teaches: bool
    assignments: tuple[AssignmentCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(Page):
    """A person's courses and assignments."""

    courses: tuple[CourseBlock, ...]


@dataclass(frozen=True, slots=True)
class HandoutBlock:
    """The instructions as HTML, and what there is to start from as name and address."""

    text: Markup
    starters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentPage(Page):
    """What a student sees of an assignment. curl: a command ready to paste; token: shown once, right after making."""

    id: str
    heading: str
    course: str
    summary: str
    points: str
    due: datetime | None
    overdue: bool
    entry_points: tuple[str, ...]
    rules: str
    max_mb: int
    curl: str
    token: str
    notice: Notice | None
    attempts: tuple[AttemptLine, ...]
    handout: HandoutBlock | None


@dataclass(frozen=True, slots=True)
class StudentLine:
    """One student on the instructor's page."""

    id: str
    name: str
    email: str
    attempts: int
    latest_id: str
    latest_score: str
    latest_verdict: str
    latest_label: str
    best_id: str
    best_score: str
    last_submitted: datetime | None
    latest_mark: str = ""
    best_mark: str = ""


@dataclass(frozen=True, slots=True)
class PassRate:
    """How many latest attempts pass a check."""

    name: str
    passed: int
    graded: int
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresPage(Page):
    """What an instructor sees of an assignment. publishable: some results wait for that; published: they are shown."""

    id: str
    heading: str
    course: str
    points: str
    due: datetime | None
    students: tuple[StudentLine, ...]
    submitted: int
    mean: str
    full_marks: int
    pass_rates: tuple[PassRate, ...]
    handout: HandoutBlock | None
    warning: Notice | None = None
    publishable: bool = False
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentPage(Page):
    """One student's attempts, for the instructor."""

    assignment_id: str
    assignment_title: str
    name: str
    attempts: tuple[AttemptLine, ...]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check result. facts: the evidence as label and value; reported: the student process's own word."""

    number: int
    name: str
    verdict: str
    label: str
    points: str
    message: str
    hint: str
    reported: bool
    facts: tuple[tuple[str, str], ...]
    plots: tuple[Plot, ...]


@dataclass(frozen=True, slots=True)
class StageBlock:
    """Checks that ran together."""

    name: str
    passed: int
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """The big answer at the top of a submission: how it stands, in words. mood is a verdict or a status."""

    mood: str
    heading: str
    text: str
    score: str = ""
    max_score: str = ""
    percent: int = 0


@dataclass(frozen=True, slots=True)
class RemarkLine:
    """A remark that costs no points."""

    message: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionPage(Page):
    """A submission: where it stands, what was found. live: it can still change."""

    id: str
    assignment_id: str
    assignment_title: str
    student: str
    attempt: int
    filename: str
    size: str
    created: datetime
    live: bool
    banner: Banner
    notice: Notice | None
    stages: tuple[StageBlock, ...]
    remarks: tuple[RemarkLine, ...]
    output: str
    figures: tuple[int, ...]
    receipt: tuple[tuple[str, str], ...] = field(default=())
    warning: Notice | None = None
    can_regrade: bool = False
    can_retry: bool = False
