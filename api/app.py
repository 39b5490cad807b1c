"""The web process: `uvicorn --factory api.app:create_app`."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI, Request

from api import errors
from api.dashboard.app import create_dashboard
from api.dashboard.session import Signer, secret_key
from api.limits import LimitBody, LoginBrake, SecurityHeaders
from api.routes import assignments, health, submissions, tokens
from api.schemas.other import ProblemOut
from autograder.config import Settings, settings
from autograder.errors import NotAuthenticated
from autograder.services import accounts

_ABOUT = """Hand in work, follow its grading, read results. Errors are problem documents (RFC 9457) with a `hint`.

Anything that does not exist and anything that is not yours is answered alike: 404.
"""


def create_app(config: Settings | None = None) -> FastAPI:
    """The whole application: the JSON API under /api/v1, the pages for people everywhere else."""
    config = config or settings()
    brake = LoginBrake()
    app = FastAPI(
        title="Autograder",
        version="1",
        description=_ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the stock page loads scripts from elsewhere
        redoc_url=None,
        responses={401: {"model": ProblemOut}, 404: {"model": ProblemOut}},
    )
    app.state.settings = config
    app.state.brake = brake
    signer = Signer(secret_key(config), secure=config.public_url.startswith("https:"))
    app.add_middleware(LimitBody, upload_bytes=config.max_upload_mb * 1024 * 1024, sender=partial(_sender, signer))
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    for part in (assignments, submissions, tokens):
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(health.router)
    app.mount("/api", _nothing_here(), name="api")
    app.mount("/", create_dashboard(config, brake, signer), name="dashboard")
    return app


def _sender(signer: Signer, request: Request) -> str | None:
    """The id of the person who sends this request, by token or cookie; None if nobody is signed in."""
    if not request.url.path.startswith("/api/"):
        session = signer.read(request)
        return session.person_id if session else None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        return accounts.person_by_token(token.strip()).id if scheme.lower() == "bearer" else None
    except NotAuthenticated:
        return None


def _nothing_here() -> FastAPI:
    """Catches unknown addresses under /api, so that programs get a problem document and not a page."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(app)
    return app
