"""`autograder assignment`: makes grader specs assignments of a course, and shows or hides their late results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.database import DatabaseGroup
from autograder.errors import UsageError
from autograder.model import Visibility
from autograder.services import accounts, administration, catalogue
from autograder.services.accounts import KEEP, Keep
from autograder.services.views import AssignmentRow
from autograder.text import one_line

app = typer.Typer(
    cls=DatabaseGroup, help="Make grader specs assignments of a course, publish results.", no_args_is_help=True
)
console = Console(highlight=False, markup=False, soft_wrap=True)
AssignmentId = Annotated[str, typer.Argument(metavar="ID", help="The assignment's id.")]
_LIKE = "Write it like 2027-01-31T23:59:00+01:00."


@app.command("add")
def add(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="Id of a grader spec: bin/autograder spec list.")],
    course: Annotated[str, typer.Option(help="Id of the course.")],
    assignment_id: Annotated[str, typer.Option("--id", help="The assignment's id; default: the spec's.")] = "",
    title: Annotated[str | None, typer.Option(help="Its title; default: the spec's.")] = None,
    due: Annotated[str | None, typer.Option(metavar="TIME", help=f"When it is due. {_LIKE}")] = None,
    max_attempts: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Attempts of a student.")] = None,
    cooldown: Annotated[
        int | None, typer.Option(min=0, max=10_000_000, metavar="SECONDS", help="Pause between two attempts.")
    ] = None,
    no_due: Annotated[bool, typer.Option("--no-due", help="Take the due date away.")] = False,
    no_max_attempts: Annotated[bool, typer.Option("--no-max-attempts", help="Take their limit away.")] = False,
) -> None:
    """Make an assignment, or change it: what you leave out stays as it is, at first without any limit."""
    for given, taken, name in ((due, no_due, "due"), (max_attempts, no_max_attempts, "max-attempts")):
        if given is not None and taken:
            raise UsageError(f"--{name} and --no-{name} contradict each other", "Leave one of them out.")
    when: datetime | Keep | None = None if no_due else KEEP if due is None else _time(due)
    attempts: int | Keep | None = None if no_max_attempts else KEEP if max_attempts is None else max_attempts
    name = assignment_id or spec
    new = accounts.ensure_assignment(
        name,
        course,
        spec,
        KEEP if title is None else title,
        when,
        attempts,
        KEEP if cooldown is None else cooldown,
    )
    row = administration.assignment(name)
    console.print(f"{'Made' if new else 'Changed'} assignment {terms(row)}")
    if row.due is not None and row.due < datetime.now(UTC):
        console.print("Note: its due date has passed, so nobody can hand in.")


@app.command("publish")
def publish(assignment_id: AssignmentId) -> None:
    """Show students the results with visibility after_published."""
    row = administration.publish(assignment_id, True)
    console.print(f"Published {row.id}: {_concerned(row)}")


@app.command("hide")
def hide(assignment_id: AssignmentId) -> None:
    """Hide the results with visibility after_published again."""
    row = administration.publish(assignment_id, False)
    console.print(f"Hidden in {row.id}: {_concerned(row)}")


def terms(row: AssignmentRow) -> str:
    """An assignment with its terms, in one line."""
    attempts = f"{row.max_attempts} attempt{'s' * (row.max_attempts != 1)}"
    said = [f"due {row.due:%Y-%m-%d %H:%M} UTC" if row.due else "no due date"]
    said += [attempts if row.max_attempts else "no limit on attempts"]
    said += [f"{row.cooldown_s} s between them"] if row.cooldown_s else []
    said += ["published" if row.published else "not published"]
    return f"{row.id}: {one_line(row.title)} (spec {one_line(row.spec_id)}), {', '.join(said)}"


def _concerned(row: AssignmentRow) -> str:
    """The checks that publishing is about."""
    loaded = catalogue.find_or_none(row.spec_id)
    if loaded is None:
        return f"spec {row.spec_id} can't be read here, so its checks can't be named"
    late = [check.spec.id for check in loaded.checks if check.spec.visibility is Visibility.AFTER_PUBLISHED]
    return ", ".join(late) or f"no check of {row.spec_id} has visibility after_published, so nothing changes"


def _time(text: str) -> datetime:
    """A time with its zone. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            found.astimezone(UTC)  # the first and last day there are have no time in UTC
        return found
    except (ValueError, OverflowError) as error:
        raise UsageError(f"'{text[:100]}' is no time", _LIKE) from error
