"""Sessions: one way to write, one way to read, and the clock all workers share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from autograder.config import settings
from autograder.storage import migrate
from autograder.storage.engine import connect


@lru_cache(maxsize=1)
def engine() -> Engine:
    """This process's engine. An SQLite database is brought up to date first; another one must be already.

    Raises UsageError if the schema is not the one this code needs.
    """
    made = connect(settings().sqlalchemy_url)
    try:
        if made.dialect.name == "sqlite":
            migrate.upgrade(made)
        else:
            migrate.require_current(made)
    except BaseException:
        made.dispose()
        raise
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
