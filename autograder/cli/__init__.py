"""The command line. Each command's module is imported only when it is called, so that `submit` starts fast."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from autograder.errors import UsageError
from autograder.text import printable

# name → module, and what in it: a typer application, or a function that becomes a command
_COMMANDS = {
    "submit": ("autograder.cli.submit", "submit"),
    "login": ("autograder.cli.submit", "login"),
    "serve": ("autograder.cli.serve", "serve"),
    "spec": ("autograder.cli.spec", "app"),
    "check": ("autograder.cli.check", "app"),
    "replay": ("autograder.cli.replay", "replay"),
    "course": ("autograder.cli.course", "app"),
    "person": ("autograder.cli.person", "app"),
    "assignment": ("autograder.cli.assignment", "app"),
    "db": ("autograder.cli.db", "app"),
    "doctor": ("autograder.cli.doctor", "doctor_command"),
}


class LazyGroup(TyperGroup):
    """Finds commands by name and imports a command's module when it is asked for."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """The commands whose module is there."""
        return [name for name, (module, _) in _COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None if there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, attribute = _COMMANDS[cmd_name]
        found: Any = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command(cmd_name)(found)
            found = single
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    help="Hands in work and follows its grading; runs and checks the autograder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Hands in work and follows its grading; runs and checks the autograder."""


def main() -> None:
    """Run the command line; an error the caller can fix is told in words, without a traceback."""
    try:
        app()
    except UsageError as error:
        print(f"autograder: {printable(error.message)}", file=sys.stderr)
        if error.hint:
            print(printable(error.hint), file=sys.stderr)
        raise SystemExit(2) from error
