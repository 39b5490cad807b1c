"""Migrations make exactly the tables the code declares, on both databases, also when many start at once."""

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from autograder.errors import UsageError
from autograder.storage import migrate, session
from autograder.storage.engine import connect
from autograder.storage.tables import Base
from tests.conftest import Configure, Postgres


def differences(engine: Engine) -> list[object]:
    """What Alembic would still change."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def checks(engine: Engine) -> dict[str, dict[str, str]]:
    """Check constraints by table and name, which Alembic does not compare."""
    found = inspect(engine)
    return {
        table: {c["name"]: c["sqltext"] for c in found.get_check_constraints(table)}
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_migrations_equal_models(database: str) -> None:
    engine = session.engine() if database.startswith("sqlite") else connect(database)
    assert differences(engine) == []
    engine.dispose()


def test_migrations_have_the_models_check_constraints(tmp_path: Path, postgres: Postgres) -> None:
    for first, second in [
        (f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"),
        (postgres.fresh(), postgres.empty()),
    ]:
        migrated, declared = connect(first), connect(second)
        migrate.upgrade(migrated)
        Base.metadata.create_all(declared)
        assert checks(migrated) == checks(declared)
        assert sum(len(c) for c in checks(migrated).values()) >= 9
        migrated.dispose()
        declared.dispose()


def test_downgrade_leaves_nothing(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'x.db'}")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        migrate.command.downgrade(migrate._config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def _upgrade(url: str) -> str | None:
    engine = connect(url)
    migrate.upgrade(engine)
    found = migrate.current(engine)
    engine.dispose()
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_many_processes_may_start_at_once(kind: str, tmp_path: Path, postgres: Postgres) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'x.db'}" if kind == "sqlite" else postgres.empty()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(_upgrade, [url] * 4) == [migrate.head()] * 4


def test_a_server_database_is_not_changed_behind_its_owners_back(configure: Configure, postgres: Postgres) -> None:
    configure(database_url=postgres.empty())
    with pytest.raises(UsageError, match="schema none") as caught:
        session.engine()
    assert "db upgrade" in caught.value.hint


def test_sqlite_file_is_set_up_for_many_processes(embedded: Path) -> None:
    with session.read_scope() as reading:
        assert reading.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert reading.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    assert (embedded / "autograder.db").exists()


def test_readers_do_not_wait_for_a_writer(database: str) -> None:
    with session.session_scope() as writing:
        writing.execute(text("INSERT INTO courses (id, name) VALUES ('a', 'A')"))
        with session.read_scope() as reading:
            assert reading.execute(text("SELECT count(*) FROM courses")).scalar_one() == 0
    with session.read_scope() as reading:
        assert reading.execute(text("SELECT count(*) FROM courses")).scalar_one() == 1
