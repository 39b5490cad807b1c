"""Renders a page: one dataclass, one template, everything escaped."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.dashboard.pages import (
    AssignmentPage,
    ErrorPage,
    HomePage,
    LoginPage,
    Page,
    ScoresPage,
    StudentPage,
    SubmissionPage,
)

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
TEMPLATES: dict[type[Page], str] = {
    LoginPage: "login.html",
    HomePage: "home.html",
    AssignmentPage: "assignment.html",
    ScoresPage: "scores.html",
    StudentPage: "student.html",
    SubmissionPage: "submission.html",
    ErrorPage: "error.html",
}
FRAGMENT = "_submission.html"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The template environment: escaping is always on, a name that does not exist is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static_version"] = _static_version()
    return made


def page(content: Page, status: int = 200) -> HTMLResponse:
    """A whole page."""
    text = environment().get_template(TEMPLATES[type(content)]).render(page=content)
    return HTMLResponse(text, status)


def fragment(content: SubmissionPage) -> HTMLResponse:
    """The part of a submission's page that changes while it is graded."""
    return HTMLResponse(environment().get_template(FRAGMENT).render(page=content))


def _static_version() -> str:
    digest = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
