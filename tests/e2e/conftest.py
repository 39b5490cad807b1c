"""The whole service as it runs in earnest: uvicorn, a Celery worker, the sandbox, and a Chromium to look at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from autograder.services import accounts
from autograder.services.views import Person
from tests.conftest import ROOT, Configure, Postgres, Redis, free_port, wait_until
from tests.factories import PASSWORD, Class, make_class
from tests.integration.workers import Worker

CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@dataclass
class Service:
    """A running service with a course."""

    address: str
    group: Class

    def token(self, person: Person) -> str:
        """A token of this person."""
        return accounts.create_token(person.id, "test")

    @property
    def assignment(self) -> str:
        """Address of the assignment's page."""
        return f"{self.address}/assignments/{self.group.assignment_id}"


class Web:
    """The web process."""

    def __init__(self, port: int, log: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._log = log.open("w")
        words = f"uvicorn --factory api.app:create_app --port {port} --timeout-graceful-shutdown 1"
        self._process = subprocess.Popen(
            [sys.executable, "-m", *words.split()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def ready(self) -> bool:
        """Does it answer?"""
        assert self._process.poll() is None, "uvicorn ended at once"
        try:
            return httpx.get(f"{self.address}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


@pytest.fixture(params=["embedded", "servers"])
def service(request: pytest.FixtureRequest, configure: Configure, tmp_path: Path) -> Iterator[Service]:
    """The service in both ways it runs: SQLite without a broker, and PostgreSQL with Redis."""
    port = free_port()
    configure(public_url=f"http://127.0.0.1:{port}", workers=1, sandbox="bubblewrap")
    if request.param == "servers":
        postgres: Postgres = request.getfixturevalue("postgres")
        redis: Redis = request.getfixturevalue("redis")
        configure(database_url=postgres.fresh(), broker_url=redis.url)
    group = make_class(2, spec_id="small-cnn")
    web, worker = Web(port, tmp_path / "api.log"), Worker(tmp_path, sandbox="bubblewrap")
    try:
        wait_until(web.ready, 60, "the web process's start")
        worker.wait_ready()
        yield Service(web.address, group)
    finally:
        worker.stop()
        web.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One headless Chromium for a module: while it runs, no other event loop can in this process."""
    assert Path(CHROMIUM).exists(), "Chromium is missing: run bin/setup --test"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=_FLAGS.split())
        yield browser
        browser.close()


class Visitor:
    """A person at a browser; fails the test if a page logs an error or runs a script that is not ours."""

    def __init__(self, browser: Browser, address: str, person: Person) -> None:
        self.errors: list[str] = []
        self.loads = 0
        context = browser.new_context(viewport={"width": 1180, "height": 900}, accept_downloads=True)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.errors.append("a dialog opened"), dialog.dismiss()))
        self.page.on("load", lambda _: setattr(self, "loads", self.loads + 1))
        self.page.goto(f"{address}/login")
        self.page.get_by_label("Email").fill(person.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{address}/")
