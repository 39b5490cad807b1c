"""Shared fixtures: real PostgreSQL and Redis servers, and settings that point at a database of the test's own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from autograder import queue
from autograder.config import settings
from autograder.sandbox import NAMES, WEAK
from autograder.storage import migrate, session
from autograder.storage.engine import connect
from tests.spread import spread

ROOT = Path(__file__).resolve().parent.parent
SPECS = ROOT / "tests" / "fixtures" / "specs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--sandbox NAME` leaves out what runs on another, and grades hostile submissions on this one."""
    parser.addoption("--sandbox", choices=(*NAMES, WEAK), help="run only on this sandbox (bin/bench battery runs each)")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests belong together when several processes run them, and leave out what was not asked for."""
    if wanted := config.getoption("--sandbox"):
        others = {*NAMES, WEAK} - {wanted}
        left_out = [item for item in items if others & set(words_of(item))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    spread(items)


def words_of(item: pytest.Item) -> list[str]:
    """The words among a test's parameters."""
    called = getattr(item, "callspec", None)
    return [value for value in called.params.values() if isinstance(value, str)] if called else []


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float = 20.0, what: str = "it") -> None:
    """Wait for something to become true, or fail."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.03)


class Postgres:
    """A PostgreSQL server on a free port, with a migrated template to copy databases from."""

    def __init__(self, folder: Path) -> None:
        self._bin = self._find()
        # initdb refuses root; run as somebody harmless then.
        self._user = "nobody" if os.geteuid() == 0 else None
        self._data = folder / "data"
        self.port = free_port()
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        quick = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
        where = ("-p", str(self.port), "-h", "127.0.0.1", "-k", str(folder))
        self._log = (folder / "log").open("w")
        self._server = subprocess.Popen(
            [self._bin / "postgres", "-D", self._data, *where, *quick],
            user=self._user,
            cwd="/",
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        wait_until(self._answers, 30, "PostgreSQL's start")
        self._sql("CREATE DATABASE template_autograder")
        engine = connect(self._url("template_autograder"))
        migrate.upgrade(engine)
        engine.dispose()

    @staticmethod
    def _find() -> Path:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
        assert found[-1].name == "initdb", "PostgreSQL's programs are missing: run bin/setup --test"
        return found[-1].parent

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run([self._bin / program, *arguments], user=self._user, cwd="/", check=True, capture_output=True)

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def _sql(self, statement: str) -> None:
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            self._sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def empty(self) -> str:
        """URL of a new database without any table."""
        name = f"t_{uuid.uuid4().hex}"
        self._sql(f"CREATE DATABASE {name}")
        return self._url(name)

    def fresh(self) -> str:
        """URL of a new, migrated, empty database."""
        name = f"t_{uuid.uuid4().hex}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE template_autograder")
        return self._url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        self._sql(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def stop(self) -> None:
        """End the server, whoever is connected."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(20)
        self._log.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the whole run."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-pg-", dir="/tmp"))
    server = Postgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Redis:
    """A Redis server that can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The broker URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty."""
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: run bin/setup --test"
        self._server = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, 10, "Redis' start")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def stop(self) -> None:
        """End it, forgetting everything."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(10)
            self._server = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """An empty Redis server of the test's own."""
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database: each test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'var' / 'autograder.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.fresh()
    yield url
    server.drop(url)


class Configure:
    """Sets AUTOGRADER_ variables and makes this process forget what it had read of the old ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, **values: object) -> None:
        """Set some variables; keyword `max_tries=2` is AUTOGRADER_MAX_TRIES."""
        for name, value in values.items():
            self._monkeypatch.setenv(f"AUTOGRADER_{name.upper()}", str(value))
        self.forget()

    @staticmethod
    def forget() -> None:
        """Read everything anew at the next use."""
        session.reset()
        settings.cache_clear()
        queue.forget()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Settings of the test's own: an empty var folder, the specs of tests/fixtures, nothing from outside."""
    for name in [name for name in os.environ if name.startswith("AUTOGRADER_")]:
        monkeypatch.delenv(name)
    change = Configure(monkeypatch)
    change(var_dir=tmp_path / "var", specs_dir=SPECS)
    yield change
    change.forget()


@pytest.fixture
def database(configure: Configure, database_url: str) -> str:
    """Services of this process work on a fresh database; run on SQLite and on PostgreSQL."""
    configure(database_url=database_url)
    return database_url


@pytest.fixture
def embedded(configure: Configure, tmp_path: Path) -> Path:
    """Services of this process work on the default: SQLite in an empty var folder, no broker. Returns the folder."""
    return tmp_path / "var"
