"""Every table. Changing one needs a migration beside it (migrations/versions); a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, MetaData, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from autograder.storage.types import Json, Text, Utc


class Base(DeclarativeBase):
    """Common ground: names for all constraints, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), datetime: Utc(), dict[str, Any]: Json(), list[Any]: Json()}


# NaN compares greater than everything in PostgreSQL and is NULL in SQLite: a range refuses it in both.
_FINITE = "{0} >= -1e12 AND {0} <= 1e12"


class User(Base):
    """A person. email is stored in lower case."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    created: Mapped[datetime]


class ApiToken(Base):
    """A bearer token; only its SHA-256 is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    created: Mapped[datetime]
    last_used: Mapped[datetime | None]


class Course(Base):
    """A course."""

    __tablename__ = "courses"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Enrolment(Base):
    """A person's role in a course. Its row is the lock that numbers a student's attempts one after the other."""

    __tablename__ = "enrolments"

    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str]


class Assignment(Base):
    """What students hand in for. published: results with visibility after_published are shown."""

    __tablename__ = "assignments"
    __table_args__ = (CheckConstraint("max_attempts IS NULL OR max_attempts > 0", name="max_attempts"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id"), index=True)
    spec_id: Mapped[str]
    title: Mapped[str]
    due: Mapped[datetime | None]
    published: Mapped[bool] = mapped_column(server_default=false())
    max_attempts: Mapped[int | None]
    cooldown_s: Mapped[int] = mapped_column(server_default="0")
    created: Mapped[datetime]


class Submission(Base):
    """One upload, immutable. Refused ones have attempt 0 and say why."""

    __tablename__ = "submissions"
    __table_args__ = (
        CheckConstraint("state IN ('accepted', 'refused')", name="state"),
        CheckConstraint("(state = 'refused') = (attempt = 0)", name="attempt"),
        Index(
            "uq_submissions_attempt",
            "assignment_id",
            "student_id",
            "attempt",
            unique=True,
            sqlite_where=text("attempt > 0"),
            postgresql_where=text("attempt > 0"),
        ),
        # Newest first reads it backwards.
        Index("ix_submissions_newest", "assignment_id", "student_id", "created", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"))
    student_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    attempt: Mapped[int]
    created: Mapped[datetime]
    filename: Mapped[str]
    size: Mapped[int]
    blob: Mapped[str | None]
    state: Mapped[str]
    refusal_code: Mapped[str | None]
    refusal_message: Mapped[str | None]
    refusal_hint: Mapped[str | None]


class GradingJob(Base):
    """One grading of one submission.

    fence counts claims: whoever holds an older number has lost the job. tries counts gradings that died. rank orders
    the queue: 0 first attempts, 1 resubmissions, 2 regrades. version counts changes a page should show. seed: null for
    the spec's own.
    """

    __tablename__ = "grading_jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done')", name="state"),
        CheckConstraint("state <> 'running' OR lease_until IS NOT NULL", name="lease"),
        Index("ix_grading_jobs_queue", "state", "lane", "rank", "created"),
        Index("ix_grading_jobs_recent", "student_id", "started"),
        Index(
            "uq_grading_jobs_running_student",
            "student_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), index=True)
    student_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str]
    lane: Mapped[str]
    rank: Mapped[int]
    created: Mapped[datetime]
    available: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default="0")
    worker: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="0")
    seed: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None]


class JobProgress(Base):
    """Where a running job stands. Written only together with a guarded update of its job."""

    __tablename__ = "job_progress"

    job_id: Mapped[str] = mapped_column(ForeignKey("grading_jobs.id"), primary_key=True)
    activity: Mapped[str]
    checks: Mapped[list[Any]]


class GradeReportRow(Base):
    """What one grading job found; at most one a job, and one in force (not superseded) a submission.

    warning: a sentence about the sandbox it was graded in, empty if that isolates fully.
    """

    __tablename__ = "grade_reports"
    __table_args__ = (
        UniqueConstraint("job_id"),
        CheckConstraint(_FINITE.format("score"), name="score"),
        CheckConstraint(_FINITE.format("max_score"), name="max_score"),
        Index(
            "uq_grade_reports_in_force",
            "submission_id",
            unique=True,
            sqlite_where=text("NOT superseded"),
            postgresql_where=text("NOT superseded"),
        ),
        Index("ix_grade_reports_submission_id", "submission_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("grading_jobs.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    superseded: Mapped[bool]
    spec_id: Mapped[str]
    spec_digest: Mapped[str]
    verdict: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    warning: Mapped[str] = mapped_column(server_default=text("''"))
    detail: Mapped[dict[str, Any]]
    created: Mapped[datetime]


class ReportFigure(Base):
    """A picture of a report, by its blob."""

    __tablename__ = "report_figures"

    report_id: Mapped[int] = mapped_column(ForeignKey("grade_reports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    blob: Mapped[str]


class CheckRow(Base):
    """The narrow part of a check result, for sums over many reports; the rest is in the report's detail."""

    __tablename__ = "check_rows"
    __table_args__ = (
        CheckConstraint(_FINITE.format("score"), name="score"),
        CheckConstraint(_FINITE.format("max_score"), name="max_score"),
    )

    report_id: Mapped[int] = mapped_column(ForeignKey("grade_reports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    check_id: Mapped[str]
    name: Mapped[str]
    type: Mapped[str]
    stage: Mapped[str]
    score: Mapped[float]
    max_score: Mapped[float]
    verdict: Mapped[str]
    visibility: Mapped[str]
    seconds: Mapped[float]


class Best(Base):
    """One line a student and assignment for the instructor's table, kept in the transaction of what changes it.

    Scores are null while nothing was graded, and where the grading ended as grader_error.
    """

    __tablename__ = "best"

    assignment_id: Mapped[str] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    student_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    latest_id: Mapped[str | None]
    latest_score: Mapped[float | None]
    latest_verdict: Mapped[str | None]
    best_id: Mapped[str | None]
    best_score: Mapped[float | None]
    attempts: Mapped[int]
    last_submitted: Mapped[datetime | None]
