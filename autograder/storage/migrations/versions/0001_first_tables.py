"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autograder.storage import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    _people()
    _work()
    _jobs()
    _reports()
    _summary()


def downgrade() -> None:
    """Take it back."""
    for table in (
        "best",
        "report_figures",
        "check_rows",
        "grade_reports",
        "job_progress",
        "grading_jobs",
        "submissions",
        "assignments",
        "enrolments",
        "api_tokens",
        "users",
        "courses",
    ):
        op.drop_table(table)


def _people() -> None:
    """Who there is."""
    op.create_table(
        "courses",
        sa.Column("id", types.Text(), nullable=False),
        sa.Column("name", types.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_courses"),
    )
    op.create_table(
        "users",
        sa.Column("id", types.Text(), nullable=False),
        sa.Column("email", types.Text(), nullable=False),
        sa.Column("name", types.Text(), nullable=False),
        sa.Column("password_hash", types.Text(), nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", types.Text(), nullable=False),
        sa.Column("token_hash", types.Text(), nullable=False),
        sa.Column("label", types.Text(), nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.Column("last_used", types.Utc(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "enrolments",
        sa.Column("course_id", types.Text(), nullable=False),
        sa.Column("user_id", types.Text(), nullable=False),
        sa.Column("role", types.Text(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name="fk_enrolments_course_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_enrolments_user_id"),
        sa.PrimaryKeyConstraint("course_id", "user_id", name="pk_enrolments"),
    )
    op.create_index("ix_enrolments_user_id", "enrolments", ["user_id"])


def _work() -> None:
    """What is handed in."""
    op.create_table(
        "assignments",
        sa.Column("id", types.Text(), nullable=False),
        sa.Column("course_id", types.Text(), nullable=False),
        sa.Column("spec_id", types.Text(), nullable=False),
        sa.Column("title", types.Text(), nullable=False),
        sa.Column("due", types.Utc(timezone=True), nullable=True),
        sa.Column("published", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=True),
        sa.Column("cooldown_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.CheckConstraint("max_attempts IS NULL OR max_attempts > 0", name=op.f("ck_assignments_max_attempts")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name="fk_assignments_course_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_course_id", "assignments", ["course_id"])
    op.create_table(
        "submissions",
        sa.Column("id", types.Text(), nullable=False),
        sa.Column("assignment_id", types.Text(), nullable=False),
        sa.Column("student_id", types.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.Column("filename", types.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("blob", types.Text(), nullable=True),
        sa.Column("state", types.Text(), nullable=False),
        sa.Column("refusal_code", types.Text(), nullable=True),
        sa.Column("refusal_message", types.Text(), nullable=True),
        sa.Column("refusal_hint", types.Text(), nullable=True),
        sa.CheckConstraint("(state = 'refused') = (attempt = 0)", name=op.f("ck_submissions_attempt")),
        sa.CheckConstraint("state IN ('accepted', 'refused')", name=op.f("ck_submissions_state")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name="fk_submissions_assignment_id"),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name="fk_submissions_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
    )
    op.create_index(
        "ix_submissions_newest",
        "submissions",
        ["assignment_id", "student_id", "created", "id"],
    )
    op.create_index(
        "uq_submissions_attempt",
        "submissions",
        ["assignment_id", "student_id", "attempt"],
        unique=True,
        sqlite_where=sa.text("attempt > 0"),
        postgresql_where=sa.text("attempt > 0"),
    )


def _jobs() -> None:
    """What is to be graded."""
    op.create_table(
        "grading_jobs",
        sa.Column("id", types.Text(), nullable=False),
        sa.Column("submission_id", types.Text(), nullable=False),
        sa.Column("student_id", types.Text(), nullable=False),
        sa.Column("state", types.Text(), nullable=False),
        sa.Column("lane", types.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.Column("available", types.Utc(timezone=True), nullable=False),
        sa.Column("started", types.Utc(timezone=True), nullable=True),
        sa.Column("finished", types.Utc(timezone=True), nullable=True),
        sa.Column("lease_until", types.Utc(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", types.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("error", types.Text(), nullable=True),
        sa.CheckConstraint("state <> 'running' OR lease_until IS NOT NULL", name=op.f("ck_grading_jobs_lease")),
        sa.CheckConstraint("state IN ('queued', 'running', 'done')", name=op.f("ck_grading_jobs_state")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name="fk_grading_jobs_student_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_grading_jobs_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grading_jobs"),
    )
    op.create_index("ix_grading_jobs_queue", "grading_jobs", ["state", "lane", "rank", "created"])
    op.create_index("ix_grading_jobs_recent", "grading_jobs", ["student_id", "started"])
    op.create_index("ix_grading_jobs_submission_id", "grading_jobs", ["submission_id"])
    op.create_index(
        "uq_grading_jobs_running_student",
        "grading_jobs",
        ["student_id"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "job_progress",
        sa.Column("job_id", types.Text(), nullable=False),
        sa.Column("activity", types.Text(), nullable=False),
        sa.Column("checks", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["grading_jobs.id"], name="fk_job_progress_job_id"),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_progress"),
    )


def _reports() -> None:
    """What was found."""
    op.create_table(
        "grade_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", types.Text(), nullable=False),
        sa.Column("submission_id", types.Text(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("spec_id", types.Text(), nullable=False),
        sa.Column("spec_digest", types.Text(), nullable=False),
        sa.Column("verdict", types.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("detail", types.Json(), nullable=False),
        sa.Column("created", types.Utc(timezone=True), nullable=False),
        sa.CheckConstraint("max_score >= -1e12 AND max_score <= 1e12", name=op.f("ck_grade_reports_max_score")),
        sa.CheckConstraint("score >= -1e12 AND score <= 1e12", name=op.f("ck_grade_reports_score")),
        sa.ForeignKeyConstraint(["job_id"], ["grading_jobs.id"], name="fk_grade_reports_job_id"),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name="fk_grade_reports_submission_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grade_reports"),
        sa.UniqueConstraint("job_id", name="uq_grade_reports_job_id"),
    )
    op.create_index("ix_grade_reports_submission_id", "grade_reports", ["submission_id"])
    op.create_index(
        "uq_grade_reports_in_force",
        "grade_reports",
        ["submission_id"],
        unique=True,
        sqlite_where=sa.text("NOT superseded"),
        postgresql_where=sa.text("NOT superseded"),
    )
    op.create_table(
        "check_rows",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check_id", types.Text(), nullable=False),
        sa.Column("name", types.Text(), nullable=False),
        sa.Column("type", types.Text(), nullable=False),
        sa.Column("stage", types.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("verdict", types.Text(), nullable=False),
        sa.Column("visibility", types.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.CheckConstraint("max_score >= -1e12 AND max_score <= 1e12", name=op.f("ck_check_rows_max_score")),
        sa.CheckConstraint("score >= -1e12 AND score <= 1e12", name=op.f("ck_check_rows_score")),
        sa.ForeignKeyConstraint(["report_id"], ["grade_reports.id"], name="fk_check_rows_report_id"),
        sa.PrimaryKeyConstraint("report_id", "number", name="pk_check_rows"),
    )
    op.create_table(
        "report_figures",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("blob", types.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["grade_reports.id"], name="fk_report_figures_report_id"),
        sa.PrimaryKeyConstraint("report_id", "number", name="pk_report_figures"),
    )


def _summary() -> None:
    """The instructor's table, kept ready."""
    op.create_table(
        "best",
        sa.Column("assignment_id", types.Text(), nullable=False),
        sa.Column("student_id", types.Text(), nullable=False),
        sa.Column("latest_id", types.Text(), nullable=True),
        sa.Column("latest_score", sa.Double(), nullable=True),
        sa.Column("latest_verdict", types.Text(), nullable=True),
        sa.Column("best_id", types.Text(), nullable=True),
        sa.Column("best_score", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_submitted", types.Utc(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name="fk_best_assignment_id"),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name="fk_best_student_id"),
        sa.PrimaryKeyConstraint("assignment_id", "student_id", name="pk_best"),
    )
