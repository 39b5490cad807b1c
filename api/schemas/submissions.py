"""Submissions and their reports as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from autograder.model import CheckResult
from autograder.services.views import ReportView, SubmissionView


class RefusalOut(BaseModel):
    """Why an upload was refused."""

    code: str = Field(description="Stable and machine-readable.")
    message: str
    hint: str = Field(description="What to do.")


class CheckOut(BaseModel):
    """One check result. Field names follow Gradescope's results.json where it has them."""

    number: int
    id: str
    name: str
    type: str
    stage: str
    score: float
    max_score: float
    visibility: str
    verdict: str = Field(
        description="passed, partial, failed, crashed, timed_out, out_of_memory, output_limit, skipped, grader_error"
    )
    message: str
    hint: str = Field(description="What to try; empty when nothing is wrong.")
    evidence: dict[str, Any] = Field(description="Numbers behind the verdict; `plots` holds what the page draws.")
    trust: str = Field(description="measured by the grader, or reported by the submission itself")
    seconds: float

    @classmethod
    def of(cls, check: CheckResult) -> CheckOut:
        """From the model."""
        names = [name for name in cls.model_fields if name != "evidence"]
        return cls(**{name: getattr(check, name) for name in names}, evidence=_json_safe(check.evidence))


class RemarkOut(BaseModel):
    """Something to know that costs no points."""

    code: str
    message: str
    where: str


class ReportOut(BaseModel):
    """A grade report, cut down to what the token's owner may see now."""

    job_id: str
    verdict: str
    score: float
    max_score: float
    withheld: int = Field(
        description="Checks that count but are not shown now; above 0, score and verdict cover only the others."
    )
    withheld_until: dict[str, int] = Field(
        description="How many of them are shown after_due_date, after_published, or never (hidden)."
    )
    checks: list[CheckOut]
    remarks: list[RemarkOut]
    output: str = Field(description="What the submission printed before any hidden input reached it.")
    figures: list[str] = Field(description="Addresses of PNG images the notebook drew.")
    receipt: dict[str, str] = Field(description="Digests, seed, device: what is needed to repeat the grading.")
    seconds: dict[str, float]
    warning: str = Field(description="About the sandbox of this grading; empty if it isolated fully.")
    finished: datetime

    @classmethod
    def of(cls, report: ReportView, submission_id: str) -> ReportOut:
        """From a service's view."""
        return cls(
            job_id=report.job_id,
            verdict=report.verdict,
            score=report.score,
            max_score=report.max_score,
            withheld=report.withheld,
            withheld_until={str(visibility): number for visibility, number in report.withheld_until.items()},
            checks=[CheckOut.of(check) for check in report.checks],
            remarks=[RemarkOut(code=r.code, message=r.message, where=r.where) for r in report.remarks],
            output=report.output,
            figures=[f"/api/v1/submissions/{submission_id}/figures/{n}.png" for n in range(report.figures)],
            receipt=report.receipt,
            seconds=report.seconds,
            warning=report.warning,
            finished=report.finished,
        )


class SubmissionOut(BaseModel):
    """A submission with where it stands."""

    id: str
    assignment_id: str
    assignment_title: str
    student_id: str
    student_name: str
    attempt: int = Field(description="Counted per student and assignment; 0 for a refused upload.")
    created: datetime
    filename: str
    size: int = Field(description="Bytes.")
    status: str = Field(description="refused, queued, running or done")
    position: int = Field(description="Jobs ahead of it while queued.")
    started: datetime | None
    tries: int = Field(description="Gradings that died on our side before this one.")
    activity: str = Field(description="What is being done right now.")
    refusal: RefusalOut | None
    progress: list[CheckOut] = Field(description="Visible checks finished so far while running.")
    report: ReportOut | None
    page: str = Field(description="Address of the page for people.")

    @classmethod
    def of(cls, view: SubmissionView, public_url: str) -> SubmissionOut:
        """From a service's view."""
        refusal = view.refusal
        return cls(
            id=view.id,
            assignment_id=view.assignment_id,
            assignment_title=view.assignment_title,
            student_id=view.student_id,
            student_name=view.student_name,
            attempt=view.attempt,
            created=view.created,
            filename=view.filename,
            size=view.size,
            status=view.status,
            position=view.position,
            started=view.started,
            tries=view.tries,
            activity=view.activity,
            refusal=RefusalOut(code=refusal.code, message=refusal.message, hint=refusal.hint) if refusal else None,
            progress=[CheckOut.of(check) for check in view.progress],
            report=ReportOut.of(view.report, view.id) if view.report else None,
            page=f"{public_url.rstrip('/')}/submissions/{view.id}",
        )


def _json_safe(value: Any) -> Any:
    """The same tree with non-finite numbers as null and anything JSON has no word for as text."""
    if isinstance(value, Mapping):
        return {str(key): _json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_safe(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
