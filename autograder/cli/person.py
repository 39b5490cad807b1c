"""`autograder person`: accounts and their passwords. A password goes to standard output, all other words beside it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.database import DatabaseGroup
from autograder.cli.people_file import read_people
from autograder.errors import UsageError
from autograder.model import Role
from autograder.services import accounts, administration
from autograder.text import one_line

app = typer.Typer(cls=DatabaseGroup, help="Make accounts, set passwords.", no_args_is_help=True)
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Take the first line of standard input; default: make one, print it.")
]


@app.command("add")
def add(
    email: Email,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What they are called.")],
    password_stdin: FromStdin = False,
) -> None:
    """Make an account. Its password is printed on standard output, this once."""
    password = _given() if password_stdin else accounts.random_password()
    person = accounts.create_user(email, name, password)
    console.print(f"{one_line(person.name)} ({one_line(person.email)}) has an account now.")
    console.print(f"Next: bin/autograder course enrol COURSE {one_line(person.email)}")
    _show(password, password_stdin)


@app.command("password")
def password(email: Email, password_stdin: FromStdin = False) -> None:
    """Set another password, and end the person's tokens. It is printed on standard output, this once."""
    chosen = _given() if password_stdin else accounts.random_password()
    person = accounts.set_password(email, chosen)
    console.print(f"{one_line(person.email)} has another password now; tokens made before are worth nothing.")
    console.print("A browser that is signed in stays so for at most a week.")
    _show(chosen, password_stdin)


@app.command("add-many")
def add_many(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="Columns email and name, in UTF-8; -: standard input.")
    ],
    course: Annotated[str | None, typer.Option(help="Id of a course to enrol everybody in.")] = None,
    role: Annotated[Role | None, typer.Option(help="What they are there; default: student.")] = None,
) -> None:
    """Make an account for everybody in a file who has none: all of them, or nobody if a line can't be used.

    Standard output gets email,password of the new ones as CSV. Who is there keeps name, password and role.
    """
    if role is not None and course is None:
        raise UsageError("--role says nothing without a course", "Add --course ID.")
    people = read_people(file)
    for number, problem in sorted(people.problems.items()):
        console.print(f"{people.where}:{number}: {one_line(problem, 500)}")
    if people.problems:
        count = f"{len(people.problems)} line{'s' * (len(people.problems) > 1)}"
        raise UsageError(
            f"{count} of {people.where} can't be used; nothing was written", "Put that right and run it again."
        )
    with console.status(f"making accounts for {len(people.names)} people"):
        added = administration.add_people(people.names, course, role or Role.STUDENT)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("email", "password"))
    writer.writerows(added.passwords.items())
    console.print(f"{len(added.passwords)} new, {len(added.known)} with an account already, left as it is.")
    if course is not None:
        console.print(f"All {len(people.names)} are in {course} now.")
    for email, before in added.other_role.items():
        console.print(f"{one_line(email)} stays {before}. To change it: bin/autograder course enrol --help")


def _given() -> str:
    """The first line of standard input. Raises UsageError."""
    try:
        return sys.stdin.buffer.readline(10_000).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError("the password on standard input is not UTF-8 text", "Send it as UTF-8.") from error


def _show(chosen: str, given: bool) -> None:
    if not given:
        console.print("The password, which can't be shown again:")
        print(chosen, flush=True)
