"""`autograder db`: the database's schema."""

from __future__ import annotations

import typer
from rich.console import Console

from autograder.cli.database import DatabaseGroup
from autograder.config import settings
from autograder.storage import migrate
from autograder.storage.engine import connect

app = typer.Typer(cls=DatabaseGroup, help="Bring the database's schema up to date.", no_args_is_help=True)
console = Console(stderr=True, highlight=False)


@app.command("upgrade")
def upgrade() -> None:
    """Run every missing migration. Safe to repeat, and while workers wait."""
    before = _revision()
    migrate.upgrade()
    after = _revision()
    console.print(f"The database is up to date ({after})." if before == after else f"Upgraded {before} → {after}.")


@app.command("status")
def status() -> None:
    """Say which schema the database has. Exit code 1 if it is not the one this version needs."""
    found = _revision()
    if found == migrate.head():
        console.print(f"The database is up to date ({found}).")
        return
    console.print(
        f"The database has schema {found}, this version needs {migrate.head()}. Run: bin/autograder db upgrade"
    )
    raise typer.Exit(1)


def _revision() -> str:
    engine = connect(settings().sqlalchemy_url)
    try:
        return migrate.current(engine) or "none"
    finally:
        engine.dispose()
