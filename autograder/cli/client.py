"""Talks to a server's API for the command line: hand in, follow, sign in. Every failure becomes a `Stop`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

REFUSED, OUR_FAILURE = 2, 3
_RECONNECTS = 30


@dataclass
class Stop(Exception):
    """The command ends here: exit code, what is wrong, what to do; the server's problem document if it sent one."""

    code: int
    message: str
    hint: str = ""
    problem: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """The token that the last login kept and the server it is for; without one, the token is an older version's."""

    token: str
    server: str = ""


def _what_to_hand_in(path: Path) -> str:
    """What to do about a path that is no file to be read."""
    if path.is_dir():
        return "Hand in one file: a notebook (.ipynb), a module (.py), or a .zip of the folder."
    with suppress(OSError):
        names = [other.name for other in path.parent.iterdir() if other.suffix in (".ipynb", ".py", ".zip")]
        if not path.exists() and (near := get_close_matches(path.name, names, n=1)):
            return f"Did you mean '{path.with_name(near[0])}'?"
    return "Check the file's name."


def token_file() -> Path:
    """Where `autograder login` keeps the token and, in a second line, the server's address."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "autograder" / "token"


def keep(kept: Kept) -> Path:
    """Write the file, readable for its owner alone."""
    path = token_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{kept.token}\n{kept.server}\n")
    return path


def stored() -> Kept:
    """What the last login kept; without a token if there was none."""
    try:
        token, _, server = token_file().read_text(encoding="utf-8").strip().partition("\n")
    except (OSError, UnicodeDecodeError):
        return Kept("")
    return Kept(token.strip(), server.strip())


def stored_for(server: str) -> Kept:
    """The kept token for a server, or for the one it was kept for if none is named. Raises Stop with what to do."""
    kept = stored()
    if not kept.token:
        raise Stop(
            REFUSED,
            "There is no token to hand in with.",
            "Run `autograder login`, or make a token on the assignment's page and set AUTOGRADER_TOKEN.",
        )
    if server and kept.server and not _same(server, kept.server):
        raise Stop(
            REFUSED,
            f"The kept token is for {kept.server}; it is not sent to {server}.",
            f"Sign in there first: `autograder login --server {server}`. Or name no other server (--server, "
            "AUTOGRADER_SERVER), or give a token of that one (--token, AUTOGRADER_TOKEN).",
        )
    return Kept(kept.token, server or kept.server)


def _same(one: str, other: str) -> bool:
    """Do two addresses name one server?"""
    try:
        return httpx.URL(one.rstrip("/")) == httpx.URL(other.rstrip("/"))
    except (httpx.InvalidURL, ValueError, UnicodeError):
        return one == other


class Client:
    """One server, one token."""

    def __init__(self, server: str, token: str = "") -> None:
        self._server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(base_url=self._server, headers=headers, timeout=httpx.Timeout(60, connect=10))
        except (httpx.InvalidURL, ValueError, UnicodeError) as error:
            raise Stop(
                REFUSED, f"{server} is not an address, or the token is not plain text.", "Check both."
            ) from error

    def sign_in(self, email: str, password: str) -> str:
        """A new token."""
        body = {"email": email, "password": password, "label": "command line"}
        with self._talking():
            answer = self._http.post("/api/v1/tokens", json=body)
        return str(_body(answer, 201)["token"])

    def hand_in(self, assignment: str, path: Path) -> dict[str, Any]:
        """Upload a file; the submission as JSON."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Stop(REFUSED, f"{path} can't be read: {error.strerror}.", _what_to_hand_in(path)) from error
        with self._talking():
            answer = self._http.post(
                f"/api/v1/assignments/{quote(assignment, safe='')}/submissions", files={"file": (path.name, content)}
            )
        return _body(answer, 202)

    def follow(self, submission_id: str) -> Iterator[dict[str, Any]]:
        """The submission at once and after every change, until it is done. A broken connection is taken up again."""
        for _ in range(_RECONNECTS):
            try:
                for name, data in self._events(submission_id):
                    yield data
                    if name == "end":
                        return
            except (httpx.TransportError, json.JSONDecodeError):
                time.sleep(1)
        raise Stop(
            OUR_FAILURE, f"The server at {self._server} is no longer there.", "Your upload is safe; look again later."
        )

    def _events(self, submission_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-Sent Events: name and data of each."""
        with self._http.stream("GET", f"/api/v1/submissions/{submission_id}/events") as answer:
            if answer.status_code != 200:
                answer.read()
                _body(answer, 200)
            name = ""
            for line in answer.iter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data":
                    yield name, json.loads(value)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Stop(
                OUR_FAILURE,
                f"The server at {self._server} can't be reached ({type(error).__name__}).",
                "Is it running, and is the address right? Give another with --server.",
            ) from error


def _body(answer: httpx.Response, expected: int) -> dict[str, Any]:
    """The answer's JSON object, or a Stop that carries the server's problem document."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.status_code == expected and isinstance(body, dict):
        return body
    problem = body if isinstance(body, dict) else {}
    code = REFUSED if 400 <= answer.status_code < 500 else OUR_FAILURE
    message = problem.get("detail") or f"The server answered {answer.status_code}, which was not expected."
    hint = problem.get("hint") or "Is the address that of an autograder? Give another with --server."
    raise Stop(code, str(message), str(hint), problem)
