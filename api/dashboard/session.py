"""The signed cookie of a browser session: who it is, and the token every form must carry."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from autograder.config import Settings
from autograder.errors import Forbidden, NotAuthenticated
from autograder.services import accounts
from autograder.services.views import Person

COOKIE = "autograder_session"
_LONGEST_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. person_id is None before sign-in; password_mark is of the password that was valid then."""

    person_id: str | None
    csrf: str
    password_mark: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person with the session they came with."""

    person: Person
    session: Session


def fresh(person_id: str | None) -> Session:
    """A new session with a new form token. It ends with the person's present password."""
    mark = accounts.password_mark(person_id) if person_id else ""
    return Session(person_id, secrets.token_urlsafe(24), mark)


class Signer:
    """Reads and writes the cookie."""

    def __init__(self, key: str, *, secure: bool) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="autograder-session")
        self._secure = secure

    def read(self, request: Request) -> Session | None:
        """The session of a request; None if there is none, or it is forged or too old."""
        try:
            found = self._serializer.loads(request.cookies.get(COOKIE, ""), max_age=_LONGEST_S)
            return Session(found["person"], str(found["csrf"]), str(found["password"]))
        except (BadData, KeyError, TypeError):
            return None

    def keep(self, response: Response, session: Session) -> None:
        """Write a session to this response."""
        told = {"person": session.person_id, "csrf": session.csrf, "password": session.password_mark}
        value = self._serializer.dumps(told)
        response.set_cookie(
            COOKIE, value, max_age=_LONGEST_S, httponly=True, samesite="lax", secure=self._secure, path="/"
        )


def secret_key(settings: Settings) -> str:
    """The key that signs cookies: from the settings, else from var_dir/secret_key, which is made once (mode 0600)."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.var_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        temporary = path.with_name(f".secret_key.{secrets.token_hex(8)}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(temporary, path)  # fails if another process was first; then its key counts
        except FileExistsError:
            pass
        finally:
            Path(temporary).unlink()
    return path.read_text(encoding="ascii").strip()


def signer(request: Request) -> Signer:
    """The application's signer."""
    found: Signer = request.app.state.signer
    return found


def person_of(session: Session) -> Person | None:
    """Whose session it is; None if nobody has signed in, or with a password that has changed since."""
    return accounts.person_of_session(session.person_id, session.password_mark) if session.person_id else None


def visitor(request: Request, signer: Annotated[Signer, Depends(signer)]) -> Visitor:
    """The signed-in person. Raises NotAuthenticated, which leads to the sign-in page."""
    session = signer.read(request)
    person = person_of(session) if session else None
    if session is None or person is None:
        raise NotAuthenticated("You are not signed in.", "Sign in first.")
    return Visitor(person, session)


def checked_form(
    request: Request, signer: Annotated[Signer, Depends(signer)], csrf: Annotated[str, Form()] = ""
) -> Session:
    """The session of a form that really came from one of our pages. Raises Forbidden."""
    session = signer.read(request)
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if session is None or foreign or not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
        raise Forbidden("This form is out of date.", "Go back, load the page again, and send the form once more.")
    return session


def local_path(target: str) -> str:
    """The path to go to after sign-in: only within this site, else the first page."""
    fit = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fit and len(target) < 500 else "/"


CurrentSigner = Annotated[Signer, Depends(signer)]
CurrentVisitor = Annotated[Visitor, Depends(visitor)]
CheckedForm = Annotated[Session, Depends(checked_form)]
