"""Submissions: one, its live events, its files, grading it again."""

from __future__ import annotations

from fastapi import APIRouter, Response, status
from fastapi.responses import StreamingResponse

from api import live
from api.answers import download, picture
from api.dependencies import Configuration, SignedIn
from api.schemas.submissions import SubmissionOut
from autograder.services import gradebook, regrade
from autograder.services.views import SubmissionView

router = APIRouter(prefix="/submissions", tags=["submissions"])


@router.get("/{submission_id}")
def get_submission(submission_id: str, person: SignedIn, config: Configuration) -> SubmissionOut:
    """A submission with its report, once there is one."""
    return SubmissionOut.of(gradebook.submission(person, submission_id), config.public_url)


@router.get(
    "/{submission_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `state` and, at last, `end`."}},
)
def get_events(submission_id: str, person: SignedIn, config: Configuration) -> StreamingResponse:
    """Server-Sent Events: the whole submission at once and after every change, until it is done."""

    def describe(view: SubmissionView) -> str:
        return SubmissionOut.of(view, config.public_url).model_dump_json()

    return live.stream(person, submission_id, describe)


@router.get(
    "/{submission_id}/figures/{number}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
def get_figure(submission_id: str, number: int, person: SignedIn) -> Response:
    """A picture the notebook drew, counted from 0."""
    return picture(gradebook.figure(person, submission_id, number))


@router.get(
    "/{submission_id}/original",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def get_original(submission_id: str, person: SignedIn) -> Response:
    """The upload as it came."""
    return download(*gradebook.original(person, submission_id))


@router.post("/{submission_id}/regrade", status_code=status.HTTP_202_ACCEPTED)
def post_regrade(submission_id: str, person: SignedIn, config: Configuration) -> SubmissionOut:
    """Grade it once more. Instructors only; the old result stays in force until the new one is there."""
    return SubmissionOut.of(regrade.regrade(person, submission_id), config.public_url)
