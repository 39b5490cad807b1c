"""Engines and sessions: one way to write, one way to read, on SQLite and PostgreSQL.

SQLite: the driver's own transaction handling is off and every writing transaction starts with BEGIN IMMEDIATE, so two
writers wait for each other instead of failing half way. Reading transactions start with plain BEGIN and block nobody.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.orm import Session

from autograder.config import settings
from autograder.storage import migrate

_BUSY_MS = 30_000


def connect(url: str) -> Engine:
    """A new engine for the URL, set up as this page says. Makes the folder of an SQLite file."""
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=20, connect_args={"connect_timeout": 10}
        )
    path = make_url(url).database
    if path:
        migrate.make_folder(path)
    # No pool: an SQLite connection must never live in two processes, and opening one is cheap.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _BUSY_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@lru_cache(maxsize=1)
def engine() -> Engine:
    """This process's engine. An SQLite database is brought up to date first; another one must be already.

    Raises UsageError if the schema is not the one this code needs.
    """
    made = connect(settings().sqlalchemy_url)
    if made.dialect.name == "sqlite":
        migrate.upgrade(made)
    else:
        migrate.require_current(made)
    return made


@lru_cache(maxsize=1)
def _reading_engine() -> Engine:
    return engine().execution_options(reading=True, postgresql_readonly=True)


def reset() -> None:
    """Forget this process's engine; the next use makes a new one from the settings in force."""
    if engine.cache_info().currsize:
        engine().dispose()
    _reading_engine.cache_clear()
    engine.cache_clear()


def _forget_after_fork() -> None:
    """A forked child must not talk through its parent's connections, nor close them."""
    if engine.cache_info().currsize:
        engine().dispose(close=False)


os.register_at_fork(after_in_child=_forget_after_fork)


@contextmanager
def session_scope() -> Iterator[Session]:
    """A writing transaction: commits at the end, rolls back on any exception. Services own it."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read_scope() -> Iterator[Session]:
    """A reading transaction, rolled back at the end."""
    with Session(_reading_engine(), autoflush=False, expire_on_commit=False) as session:
        yield session


def now(session: Session) -> datetime:
    """The time all workers agree on: the database server's clock, on SQLite this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    value: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return value.astimezone(UTC)
