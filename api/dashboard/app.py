"""The dashboard as an application of its own, mounted beside the API: its errors are pages."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import errors
from api.dashboard import render
from api.dashboard.pages import ErrorPage
from api.dashboard.routes import router
from api.dashboard.session import Signer
from api.errors import Problem
from api.limits import LoginBrake
from autograder.config import Settings
from autograder.errors import NotAuthenticated, UsageError


class _Static(StaticFiles):
    """Our own files; their address changes with their content, so a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_dashboard(settings: Settings, brake: LoginBrake, signer: Signer) -> FastAPI:
    """The pages for people. brake: shared with the API, so that nobody can try passwords at both doors."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.brake = brake
    app.state.signer = signer
    app.include_router(router)
    app.mount("/static", _Static(directory=render.STATIC), name="static")
    app.add_exception_handler(UsageError, _usage)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _crash)
    return app


def _page(problem: Problem, message: str) -> HTMLResponse:
    content = ErrorPage(title=message, status=problem.status, message=message, hint=problem.hint)
    return render.page(content, problem.status)


def _usage(request: Request, error: Exception) -> Response:
    if isinstance(error, NotAuthenticated):
        path = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?next={quote(path)}", 303)
    assert isinstance(error, UsageError)  # noqa: S101 - for the type checker; registered for this type only
    problem = errors.from_usage(error)
    return _page(problem, problem.detail)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    problem = errors.from_http(error)
    return _page(problem, problem.detail)


def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any("file" in item["loc"] for item in error.errors()):
        problem = Problem(422, "", "", "Go back, choose a file, then press “Hand in” again.", "no_file")
        return _page(problem, "No file was chosen.")
    problem = Problem(404, "", "", "Check the address.", "not_found")
    return _page(problem, "There is nothing at this address.")


def _crash(request: Request, error: Exception) -> Response:
    problem = errors.from_crash(request, error)
    return _page(problem, problem.detail)
