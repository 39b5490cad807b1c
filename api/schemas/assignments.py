"""Assignments and scores as JSON."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from autograder.services.views import AssignmentView, ScoreRow, Scores


class AssignmentOut(BaseModel):
    """An assignment as the token's owner sees it."""

    id: str
    course_id: str
    course_name: str
    title: str
    summary: str
    spec_id: str = Field(description="The grader spec it is graded by.")
    lane: str = Field(description="cpu or gpu.")
    points: float = Field(description="Full marks.")
    role: str = Field(description="What you are in the course: student or instructor.")
    due: datetime | None = Field(description="UTC; null: no due date.")
    entry_points: list[str] = Field(description="Names a submission must define.")
    max_attempts: int | None = Field(description="Null: any number.")
    cooldown_s: int = Field(description="Seconds to wait between two attempts.")

    @classmethod
    def of(cls, view: AssignmentView) -> AssignmentOut:
        """From a service's view."""
        return cls(
            id=view.id,
            course_id=view.course_id,
            course_name=view.course_name,
            title=view.title,
            summary=view.summary,
            spec_id=view.spec_id,
            lane=view.lane,
            points=view.points,
            role=view.role,
            due=view.due,
            entry_points=list(view.entry_points),
            max_attempts=view.max_attempts,
            cooldown_s=view.cooldown_s,
        )


class ScoreOut(BaseModel):
    """One student's line. Scores are null until something was graded."""

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
    latest_warning: str = Field(description="About the sandbox of that grading; empty if it isolated fully.")
    best_warning: str

    @classmethod
    def of(cls, row: ScoreRow) -> ScoreOut:
        """From a service's view."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class PassRateOut(BaseModel):
    """How many students' latest attempts pass a check."""

    check_id: str
    name: str
    passed: int
    graded: int


class ScoresOut(BaseModel):
    """The instructor's table of one assignment."""

    assignment: AssignmentOut
    rows: list[ScoreOut]
    pass_rates: list[PassRateOut]

    @classmethod
    def of(cls, scores: Scores) -> ScoresOut:
        """From a service's view."""
        return cls(
            assignment=AssignmentOut.of(scores.assignment),
            rows=[ScoreOut.of(row) for row in scores.rows],
            pass_rates=[
                PassRateOut(check_id=check_id, name=name, passed=passed, graded=graded)
                for check_id, name, passed, graded in scores.pass_rates
            ],
        )
