"""What commands that work on the database of the settings have in common."""

from __future__ import annotations

import sys
from typing import Any

import typer
from sqlalchemy.exc import OperationalError
from typer.core import TyperGroup

from autograder.text import printable


class DatabaseGroup(TyperGroup):
    """Commands that need the database; exit code 3 if it can't be reached."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except OperationalError as error:
            print(f"The database can't be reached: {printable(error.orig)}", file=sys.stderr)
            print("Is it running, and is AUTOGRADER_DATABASE_URL right?", file=sys.stderr)
            raise typer.Exit(3) from error
