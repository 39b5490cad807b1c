"""What Alembic runs: on the connection it is handed by storage/migrate.py, or on the database of the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from autograder.config import settings
from autograder.storage.engine import connect
from autograder.storage.tables import Base


def run(connection: Connection) -> None:
    """Run the migrations asked for, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_as_batch=True,
        user_module_prefix="types.",
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("SQL scripts aren't written; run the migrations on a database: bin/autograder db upgrade")

given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with connect(settings().sqlalchemy_url).begin() as own:
        run(own)
