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

BEFORE = (
    "INSERT INTO users (id, email, name, password_hash, created) VALUES ('u', 'e', 'n', 'p', '2026-01-01 00:00:00')",
    "INSERT INTO courses (id, name) VALUES ('c', 'C')",
    "INSERT INTO assignments (id, course_id, spec_id, title, created) "
    "VALUES ('a', 'c', 's', 't', '2026-01-01 00:00:00')",
    *(
        statement.replace("{n}", number).replace("{detail}", detail)
        for number, detail in (("1", '{"warning": "It was “weak”."}'), ("2", '{"warning": ""}'))
        for statement in (
            "INSERT INTO submissions (id, assignment_id, student_id, attempt, created, filename, size, state) "
            "VALUES ('{n}', 'a', 'u', {n}, '2026-01-01 00:00:00', 'f', 1, 'accepted')",
            "INSERT INTO grading_jobs (id, submission_id, student_id, state, lane, rank, created, available) "
            "VALUES ('{n}', '{n}', 'u', 'done', 'cpu', 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
            "INSERT INTO grade_reports (id, job_id, submission_id, superseded, spec_id, spec_digest, verdict, score, "
            "max_score, detail, created) VALUES ({n}, '{n}', '{n}', false, 's', 'd', 'passed', 1, 1, '{detail}', "
            "'2026-01-01 00:00:00')",
        )
    ),
)


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


def test_warnings_of_older_reports_are_kept(tmp_path: Path, postgres: Postgres) -> None:
    """They stood in the report's JSON alone, where tables of many reports do not look."""
    for url in (f"sqlite:///{tmp_path / 'x.db'}", postgres.empty()):
        engine = connect(url)
        with engine.begin() as connection:
            migrate.command.upgrade(migrate._config(connection), "0001")
            for statement in BEFORE:
                connection.execute(text(statement))
        migrate.upgrade(engine)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT id, warning FROM grade_reports ORDER BY id")).all()
        assert [tuple(row) for row in found] == [(1, "It was “weak”."), (2, "")]
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
