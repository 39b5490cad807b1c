"""The whole web application on real services: two courses, their people, one graded submission."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from api.app import create_app
from api.dashboard.session import COOKIE, fresh
from autograder.model import GradeReport
from autograder.services import accounts, jobs
from autograder.services.views import Person, SubmissionView
from tests.conftest import free_port, wait_until
from tests.factories import PASSWORD, Class, hand_in, make_check, make_class, make_report, soon

PLOTS = [
    {
        "kind": "loss_curve",
        "title": "Loss",
        "series": {"training": [2.3, 1.2, 0.7], "validation": [2.3, None, 0.9]},
        "x": [0, 1, 2],
        "x_label": "epoch",
        "y_label": "loss",
    },
    {"kind": "confusion_matrix", "title": "Confusions", "labels": ["cat", "dog"], "matrix": [[8, 2], [1, 9]]},
]


def png() -> bytes:
    """A white pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\xff")) + chunk(b"IEND", b"")


def a_report(**more: object) -> GradeReport:
    """A report with everything a page can show."""
    first = make_check(1, 2.0, 2.0, name="Names", message="All names are there.", evidence={"expected": "(N, 4)"})
    second = make_check(2, 3.0, 3.0, name="Loss", message="The loss falls.", evidence={"plots": PLOTS})
    third = make_check(3, 0.0, 5.0, name="Accuracy", message="Too low.", hint="Train longer.")
    checks = (first, replace(second, stage="Training"), replace(third, stage="Training"))
    return make_report(*checks, figures=(png(),), **more)


def grade_next(report: GradeReport | None = None) -> None:
    """Play the worker: claim the next job and commit a report for it."""
    claim = jobs.claim("cpu", "test")
    assert claim is not None
    jobs.commit(claim, report or a_report())


class Browser:
    """A browser without scripts: keeps cookies, sends forms with their token."""

    def __init__(self, app: FastAPI, person: Person | None = None) -> None:
        self.http = TestClient(app, base_url="http://testserver", follow_redirects=False)
        if person is not None:
            signer = next(r for r in app.routes if isinstance(r, Mount) and r.name == "dashboard").app.state.signer
            answer = Response()
            signer.keep(answer, fresh(person.id))
            self.http.cookies.set(COOKIE, answer.headers["set-cookie"].split(";")[0].partition("=")[2])

    def csrf(self, page: str = "/login") -> str:
        """The form token on a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get(page).text)
        assert found, f"there is no form on {page}"
        return found.group(1)

    def sign_in(self, email: str, password: str = PASSWORD, **more: str):
        """Send the sign-in form."""
        data = {"csrf": self.csrf(), "email": email, "password": password, **more}
        return self.http.post("/login", data=data)

    def post(self, path: str, page: str = "/", data: dict[str, str] | None = None, **more):
        """Send a form with the token found on a page."""
        return self.http.post(path, data={"csrf": self.csrf(page), **(data or {})}, **more)


@dataclass
class World:
    """Two courses; ours has a submission of the first student, graded."""

    app: FastAPI
    ours: Class
    theirs: Class
    done: SubmissionView
    _tokens: dict[str, str] = field(default_factory=dict)

    def api(self, person: Person | None = None) -> TestClient:
        """A program of this person."""
        headers = {"Authorization": f"Bearer {self.token(person)}"} if person else {}
        return TestClient(self.app, headers=headers, follow_redirects=False)

    def token(self, person: Person) -> str:
        """The person's token."""
        if person.id not in self._tokens:
            self._tokens[person.id] = accounts.create_token(person.id, "test")
        return self._tokens[person.id]

    def browser(self, person: Person | None = None) -> Browser:
        """A browser, signed in as this person."""
        return Browser(self.app, person)

    @property
    def owner(self) -> Person:
        """Who made the submission."""
        return self.ours.students[0]

    @property
    def other(self) -> Person:
        """A student of the same course."""
        return self.ours.students[1]

    @property
    def path(self) -> str:
        """Where our assignment is, without a prefix."""
        return f"/assignments/{self.ours.assignment_id}"


@pytest.fixture
def world(embedded: Path) -> World:
    """The application with its people."""
    ours, theirs = make_class(2, due=soon(3600)), make_class(1)
    done = hand_in(ours.students[0], ours)
    grade_next()
    return World(create_app(), ours, theirs, done)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The application served by a real uvicorn on a port of its own."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(world.app, port=port, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 10, "the server's start")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
