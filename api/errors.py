"""Errors as problem documents (RFC 9457): what is wrong, and what to do about it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from autograder.errors import (
    Forbidden,
    NotAuthenticated,
    NotFound,
    PolicyRefused,
    UploadRefused,
    UsageError,
)
from autograder.text import one_line, printable

log = logging.getLogger("autograder.api")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error on its way out. `code` is stable and machine-readable."""

    status: int
    title: str
    detail: str
    hint: str
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


class TooManyRequests(UsageError):
    """The caller must wait; `seconds` says how long."""

    code = "too_many_requests"

    def __init__(self, message: str, hint: str, seconds: int) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


_KINDS: tuple[tuple[type[UsageError], int, str], ...] = (
    (TooManyRequests, 429, "Too many requests"),
    (UploadRefused, 422, "Upload refused"),
    (NotFound, 404, "Not found"),
    (Forbidden, 403, "Not allowed"),
    (NotAuthenticated, 401, "Not signed in"),
    (PolicyRefused, 409, "Refused by the assignment's policy"),
    (UsageError, 409, "Not possible now"),
)
_STATUS_OF_CODE = {"too_large": 413, "database_outdated": 503, "cooldown": 429}


def from_usage(error: UsageError) -> Problem:
    """The problem a UsageError stands for."""
    status, title = next((status, title) for kind, status, title in _KINDS if isinstance(error, kind))
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="autograder"'
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.seconds)
    submission_id = getattr(error, "submission_id", None)
    extra = {"submission_id": submission_id} if submission_id else {}
    status = _STATUS_OF_CODE.get(error.code, status)
    return Problem(status, title, printable(error.message), printable(error.hint), error.code, headers, extra)


def from_http(error: HTTPException) -> Problem:
    """The problem an error of the framework stands for: no such address, wrong method, body too large."""
    phrase = HTTPStatus(error.status_code).phrase
    detail, hint, code = {
        400: ("The request could not be read.", "Send the form as multipart/form-data with one field named file.", ""),
        404: ("There is nothing at this address.", "Check the address, and GET or POST.", "not_found"),
        413: (
            "The request is larger than this server takes.",
            "Leave out data sets and checkpoints, and clear the notebook's outputs.",
            "too_large",
        ),
        429: (
            "Other uploads of yours are still being read.",
            "Wait a few seconds, then send this one again.",
            "too_many_requests",
        ),
    }.get(error.status_code, (one_line(error.detail), "Try again later.", ""))
    return Problem(error.status_code, phrase, detail, hint, code or f"http_{error.status_code}", error.headers or {})


def from_validation(error: RequestValidationError) -> Problem:
    """The problem of a request whose fields are missing or wrong. What was sent is not repeated."""
    parts = []
    for item in error.errors()[:5]:
        where = one_line(".".join(str(part) for part in item["loc"] if part != "body"), 80)
        parts.append(f"{where or 'body'}: {one_line(item['msg'])}")
    hint = "See /api/openapi.json for the fields this address takes."
    if any("file" in item["loc"] for item in error.errors()):
        hint = "Send your file as multipart/form-data in a field named file, e.g. curl -F file=@notebook.ipynb …"
    return Problem(422, "Request not understood", "; ".join(parts), hint, "invalid_request")


def from_crash(request: Request, error: Exception) -> Problem:
    """Our own failure: logged under a number that the answer names."""
    incident = secrets.token_hex(4)
    log.error("incident %s at %s %s", incident, request.method, request.url.path, exc_info=error)
    hint = f"Try again in a minute; if it stays, tell your instructor this number: {incident}."
    return Problem(500, "Our failure", "Something went wrong on our side.", hint, "internal_error")


def as_json(request: Request, problem: Problem) -> JSONResponse:
    """The problem document."""
    body = {
        "type": f"urn:autograder:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
        "code": problem.code,
        "instance": request.url.path,
        **problem.extra,
    }
    headers = dict(problem.headers)
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""

    def usage(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, UsageError)  # noqa: S101 - for the type checker; registered for this type only
        return as_json(request, from_usage(error))

    def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return as_json(request, from_http(error))

    def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return as_json(request, from_validation(error))

    def crash(request: Request, error: Exception) -> JSONResponse:
        return as_json(request, from_crash(request, error))

    app.add_exception_handler(UsageError, usage)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(Exception, crash)
