"""Brings a database's schema up to date with Alembic, safely when several processes start at once."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from autograder.config import settings
from autograder.errors import UsageError
from autograder.storage.engine import connect

_SCRIPTS = Path(__file__).resolve().parent / "migrations"
# Alembic greets every process that looks at the schema.
logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
_LOCK_KEY = 7_310_001  # any number that nothing else in this database uses


def head() -> str:
    """The revision this code needs."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head() or ""


def current(engine: Engine) -> str | None:
    """The revision the database is at; None if it is empty."""
    with engine.execution_options(reading=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine | None = None) -> None:
    """Run every missing migration on a database (default: the one of the settings). One process works, others wait."""
    if engine is None:
        engine = connect(settings().sqlalchemy_url)
        try:
            upgrade(engine)
        finally:
            engine.dispose()
        return
    if current(engine) == head():
        return
    with _alone(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if MigrationContext.configure(connection).get_current_revision() != head():
            command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Raise UsageError unless the schema is the one this code needs."""
    found = current(engine)
    if found != head():
        raise UsageError(
            f"the database is at schema {found or 'none'}, this version needs {head()}",
            "Run: bin/autograder db upgrade",
            code="database_outdated",
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """SQLite: a lock file beside the database. PostgreSQL locks inside the transaction."""
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    if not path:
        yield
        return
    with Path(f"{path}.migrate-lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config
