"""Assignments: list, one, uploads to it, its scores."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile, status

from api.answers import table
from api.dependencies import Configuration, SignedIn
from api.schemas.assignments import AssignmentOut, ScoresOut
from api.schemas.other import ProblemOut
from api.schemas.submissions import SubmissionOut
from api.tables import scores_csv
from autograder.services import gradebook, submit

router = APIRouter(prefix="/assignments", tags=["assignments"])
_UPLOAD_PROBLEMS: dict[int | str, dict[str, Any]] = {
    409: {"model": ProblemOut, "description": "The assignment's policy says no (deadline, attempts)."},
    413: {"model": ProblemOut, "description": "The upload is too large."},
    422: {"model": ProblemOut, "description": "The upload can't be taken; `hint` says what to do."},
    429: {"model": ProblemOut, "description": "Too soon after the last attempt."},
}


@router.get("")
def list_assignments(person: SignedIn) -> list[AssignmentOut]:
    """Every assignment of every course you are in."""
    return [AssignmentOut.of(view) for view in gradebook.assignments_for(person)]


@router.get("/{assignment_id}")
def get_assignment(assignment_id: str, person: SignedIn) -> AssignmentOut:
    """One assignment."""
    return AssignmentOut.of(gradebook.assignment(person, assignment_id))


@router.post(
    "/{assignment_id}/submissions",
    status_code=status.HTTP_202_ACCEPTED,
    responses=_UPLOAD_PROBLEMS,
    form_limits={"max_files": 1, "max_fields": 4},
)
def post_submission(
    assignment_id: str, file: UploadFile, person: SignedIn, config: Configuration, response: Response
) -> SubmissionOut:
    """Hand in a notebook (.ipynb), a module (.py) or an archive (.zip). Grading starts by itself."""
    view = submit.submit(person, assignment_id, file.filename or "", file.file.read())
    response.headers["Location"] = f"/api/v1/submissions/{view.id}"
    return SubmissionOut.of(view, config.public_url)


@router.get("/{assignment_id}/submissions")
def list_submissions(
    assignment_id: str,
    person: SignedIn,
    config: Configuration,
    student_id: Annotated[str | None, Query(description="Instructors: only this student's.")] = None,
) -> list[SubmissionOut]:
    """Your submissions, newest first; for instructors everybody's. Reports are short here: score and verdict."""
    views = gradebook.submissions(person, assignment_id, student_id)
    return [SubmissionOut.of(view, config.public_url) for view in views]


@router.get("/{assignment_id}/scores")
def get_scores(assignment_id: str, person: SignedIn) -> ScoresOut:
    """Every student's scores. Instructors only."""
    return ScoresOut.of(gradebook.scores(person, assignment_id))


@router.get("/{assignment_id}/scores.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def get_scores_csv(assignment_id: str, person: SignedIn) -> Response:
    """Every student's scores as CSV. Instructors only."""
    scores = gradebook.scores(person, assignment_id)
    return table(f"{assignment_id}-scores.csv", scores_csv(scores), for_people=False)
