"""Engines for SQLite and PostgreSQL.

SQLite: the driver's own transaction handling is off and every writing transaction starts with BEGIN IMMEDIATE, so two
writers wait for each other instead of failing half way. Reading transactions start with plain BEGIN and block nobody.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url

_BUSY_MS = 30_000


def connect(url: str) -> Engine:
    """A new engine for the URL, set up as this page says. Makes the folder of an SQLite file."""
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=20, connect_args={"connect_timeout": 10}
        )
    path = make_url(url).database
    if path:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
