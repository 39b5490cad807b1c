"""Pages and forms for people."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from api import handouts, live
from api.answers import download, handout_file, picture, table
from api.dashboard import present, render
from api.dashboard.pages import LoginPage, Notice, SubmissionPage
from api.dashboard.session import (
    CheckedForm,
    CurrentSigner,
    CurrentVisitor,
    Session,
    Visitor,
    fresh,
    local_path,
    person_of,
)
from api.dependencies import Address, Brake, Configuration
from api.errors import TooManyRequests, from_usage
from api.tables import scores_csv
from autograder.config import Settings
from autograder.errors import NotAuthenticated, NotFound, PolicyRefused, UploadRefused
from autograder.model import Role
from autograder.services import accounts, gradebook, regrade, submit
from autograder.services.views import SubmissionView
from autograder.text import one_line

router = APIRouter()
Text = Annotated[str, Form(max_length=1024)]


def _frame(visitor: Visitor) -> present.Frame:
    return {"person": one_line(visitor.person.name), "csrf": visitor.session.csrf}


def _login(session: Session, next_path: str, status: int = 200, email: str = "", error: str = "") -> HTMLResponse:
    content = LoginPage(title="Sign in", csrf=session.csrf, next=next_path, email=email, error=error)
    return render.page(content, status)


@router.get("/login", response_model=None)
def login_form(request: Request, signer: CurrentSigner, next: str = "/") -> HTMLResponse | RedirectResponse:  # noqa: A002
    """The sign-in form; it carries the form token of a new, anonymous session."""
    known = signer.read(request)
    if known and person_of(known):
        return RedirectResponse(local_path(next), 303)
    session = fresh(None)
    answer = _login(session, local_path(next))
    signer.keep(answer, session)
    return answer


@router.post("/login", response_model=None)
def login(
    signer: CurrentSigner,
    session: CheckedForm,
    brake: Brake,
    address: Address,
    email: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002
) -> HTMLResponse | RedirectResponse:
    """Sign in. A new session begins, so that an old form token is worth nothing."""
    shown = one_line(email)
    try:
        brake.attempt(email, address)
        person = accounts.authenticate(email, password)
    except TooManyRequests as error:
        return _login(session, local_path(next), 429, shown, f"{error.message} {error.hint}")
    except NotAuthenticated as error:
        return _login(session, local_path(next), 401, shown, f"{error.message} {error.hint}")
    brake.succeeded(email, address)
    answer = RedirectResponse(local_path(next), 303)
    signer.keep(answer, fresh(person.id))
    return answer


@router.post("/logout")
def logout(signer: CurrentSigner, _session: CheckedForm) -> RedirectResponse:
    """Sign out."""
    answer = RedirectResponse("/login", 303)
    signer.keep(answer, fresh(None))
    return answer


@router.get("/")
def home(visitor: CurrentVisitor) -> HTMLResponse:
    """The person's courses and assignments."""
    assignments = gradebook.assignments_for(visitor.person)
    latest = {}
    for view in assignments:
        if view.role is Role.STUDENT:
            found = gradebook.submissions(visitor.person, view.id, limit=10)
            counted = [sub for sub in found if sub.attempt]
            if found:
                latest[view.id] = (counted or found)[0]
    return render.page(present.home_page(_frame(visitor), assignments, latest))


@router.get("/assignments/{assignment_id}")
def assignment(assignment_id: str, visitor: CurrentVisitor, config: Configuration) -> HTMLResponse:
    """Students: the handout, the upload form, their attempts. Instructors: the scores, and the handout below."""
    view = gradebook.assignment(visitor.person, assignment_id)
    if view.role is Role.INSTRUCTOR:
        scores = gradebook.scores(visitor.person, assignment_id)
        return render.page(present.scores_page(_frame(visitor), scores, handouts.of(view.spec_id)))
    return _assignment(assignment_id, visitor, config)


def _assignment(
    assignment_id: str,
    visitor: Visitor,
    config: Settings,
    *,
    notice: Notice | None = None,
    token: str = "",
    status: int = 200,
) -> HTMLResponse:
    view = gradebook.assignment(visitor.person, assignment_id)
    content = present.assignment_page(
        _frame(visitor),
        view,
        gradebook.submissions(visitor.person, assignment_id, visitor.person.id),
        handouts.of(view.spec_id),
        max_mb=config.max_upload_mb,
        url=f"{config.public_url.rstrip('/')}/api/v1/assignments/{assignment_id}/submissions",
        token=token,
        notice=notice,
    )
    return render.page(content, status)


@router.post(
    "/assignments/{assignment_id}/submissions", response_model=None, form_limits={"max_files": 1, "max_fields": 4}
)
def upload(
    assignment_id: str, file: UploadFile, visitor: CurrentVisitor, _session: CheckedForm, config: Configuration
) -> HTMLResponse | RedirectResponse:
    """Hand in a file. A refusal is shown on the same page with what to do."""
    try:
        view = submit.submit(visitor.person, assignment_id, file.filename or "", file.file.read())
    except (UploadRefused, PolicyRefused) as error:
        problem = from_usage(error)
        notice = Notice("Your file was not taken", problem.detail, problem.hint)
        return _assignment(assignment_id, visitor, config, notice=notice, status=problem.status)
    return RedirectResponse(f"/submissions/{view.id}", 303)


@router.post("/assignments/{assignment_id}/token")
def make_token(
    assignment_id: str, visitor: CurrentVisitor, _session: CheckedForm, config: Configuration
) -> HTMLResponse:
    """Make a token for programs and show it once, inside the command that uses it."""
    gradebook.assignment(visitor.person, assignment_id)
    token = accounts.create_token(visitor.person.id, f"made on the page of {assignment_id}")
    return _assignment(assignment_id, visitor, config, token=token)


@router.get("/assignments/{assignment_id}/handout/{name:path}")
def handout(assignment_id: str, name: str, visitor: CurrentVisitor) -> Response:
    """A picture of the handout, or a starter to save."""
    found = handouts.of(gradebook.assignment(visitor.person, assignment_id).spec_id)
    if found is None:
        raise NotFound("This assignment has no handout.", "Ask your instructor.")
    return handout_file(name, found.file(name))


@router.get("/assignments/{assignment_id}/scores.csv")
def scores_table(assignment_id: str, visitor: CurrentVisitor) -> Response:
    """The scores for a spreadsheet. Instructors only."""
    scores = gradebook.scores(visitor.person, assignment_id)
    return table(f"{assignment_id}-scores.csv", scores_csv(scores), for_people=True)


@router.post("/assignments/{assignment_id}/publish")
def publish(
    assignment_id: str, visitor: CurrentVisitor, _session: CheckedForm, published: Annotated[bool, Form()] = True
) -> RedirectResponse:
    """Show the results that wait for publishing, or hide them again. Instructors only."""
    gradebook.publish(visitor.person, assignment_id, published)
    return RedirectResponse(f"/assignments/{assignment_id}", 303)


@router.get("/assignments/{assignment_id}/students/{student_id}")
def student(assignment_id: str, student_id: str, visitor: CurrentVisitor) -> HTMLResponse:
    """One student's attempts. Instructors only."""
    scores = gradebook.scores(visitor.person, assignment_id)
    views = gradebook.submissions(visitor.person, assignment_id, student_id)
    name = next((row.name for row in scores.rows if row.student_id == student_id), None)
    if name is None:
        gradebook.submission(visitor.person, "")  # answers with the same NotFound as every page that is not there
    return render.page(present.student_page(_frame(visitor), scores.assignment, name or "", views))


@router.get("/submissions/{submission_id}")
def submission(submission_id: str, visitor: CurrentVisitor) -> HTMLResponse:
    """A submission, live."""
    return render.page(_submission(submission_id, visitor))


@router.get("/submissions/{submission_id}/fragment")
def submission_fragment(submission_id: str, visitor: CurrentVisitor) -> HTMLResponse:
    """The part of the page that changes, for live.js."""
    return render.fragment(_submission(submission_id, visitor))


def _submission(submission_id: str, visitor: Visitor) -> SubmissionPage:
    view = gradebook.submission(visitor.person, submission_id)
    teaches = gradebook.assignment(visitor.person, view.assignment_id).role is Role.INSTRUCTOR
    return present.submission_page(_frame(visitor), view, viewer_id=visitor.person.id, teaches=teaches)


@router.get("/submissions/{submission_id}/events")
def events(submission_id: str, visitor: CurrentVisitor) -> StreamingResponse:
    """Says when the fragment should be fetched again. The data changes with everything that the page shows."""

    def describe(view: SubmissionView) -> str:
        told = (view.status, view.position, view.activity, len(view.progress), view.tries)
        return json.dumps([*told, view.report.job_id if view.report else None])

    return live.stream(visitor.person, submission_id, describe)


@router.get("/submissions/{submission_id}/figures/{number}.png")
def figure(submission_id: str, number: int, visitor: CurrentVisitor) -> Response:
    """A picture the notebook drew."""
    return picture(gradebook.figure(visitor.person, submission_id, number))


@router.get("/submissions/{submission_id}/original")
def original(submission_id: str, visitor: CurrentVisitor) -> Response:
    """The upload as it came."""
    return download(*gradebook.original(visitor.person, submission_id))


@router.post("/submissions/{submission_id}/regrade")
def grade_again(submission_id: str, visitor: CurrentVisitor, _session: CheckedForm) -> RedirectResponse:
    """Grade it once more. Instructors only."""
    regrade.regrade(visitor.person, submission_id)
    return RedirectResponse(f"/submissions/{submission_id}", 303)
