"""`autograder course`: courses and who is in them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.assignment import terms
from autograder.cli.database import DatabaseGroup
from autograder.model import Role
from autograder.services import accounts, administration
from autograder.text import one_line

app = typer.Typer(cls=DatabaseGroup, help="Make courses, show them, enrol people.", no_args_is_help=True)
console = Console(highlight=False, markup=False, soft_wrap=True)
CourseId = Annotated[str, typer.Argument(metavar="ID", help="The course's id: small letters, digits, hyphens.")]


@app.command("add")
def add(course_id: CourseId, name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]) -> None:
    """Make a course, or rename it."""
    new = accounts.ensure_course(course_id, name)
    console.print(f"{'Made' if new else 'Renamed'} course {course_id}: {one_line(name)}")
    if new:
        console.print(f"Next: bin/autograder assignment add SPEC --course {course_id}")
        console.print(f"      bin/autograder person add-many FILE.csv --course {course_id}")


@app.command("list")
def list_courses() -> None:
    """Every course with the numbers of its people and assignments."""
    found = administration.courses()
    if not found:
        console.print("There is no course yet. Make one with: bin/autograder course add ID NAME")
    width = max((len(row.id) for row in found), default=0)
    for row in found:
        counted = f"{_number(row.people, 'person', 'people')}, {_number(row.assignments, 'assignment')}"
        console.print(f"{row.id:{width}}  {one_line(row.name)} ({counted})")


@app.command("show")
def show(course_id: CourseId) -> None:
    """A course's people with their roles, and its assignments."""
    found = administration.course(course_id)
    console.print(f"{found.id}: {one_line(found.name)}")
    console.print(f"\n{_number(len(found.people), 'person', 'people')}")
    width = max((len(person.email) for person, _ in found.people), default=0)
    for person, role in found.people:
        console.print(f"  {role:10}  {one_line(person.email):{width}}  {one_line(person.name)}")
    console.print(f"\n{_number(len(found.assignments), 'assignment')}")
    for task in found.assignments:
        console.print(f"  {terms(task)}")


@app.command("enrol")
def enrol(
    course_id: CourseId,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of somebody who has an account.")],
    role: Annotated[Role, typer.Option(help="What they are in the course.")] = Role.STUDENT,
) -> None:
    """Give a person a role in a course, or another one."""
    person = accounts.person_by_email(email)
    before = accounts.enrol(course_id, person.id, role)
    said = f"; was {before}" if before not in (None, role) else ""
    console.print(f"{one_line(person.email)} is {role} in {course_id}{said}")


@app.command("unenrol")
def unenrol(
    course_id: CourseId, email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")]
) -> None:
    """Take a person out of a course. Their submissions and scores stay, and show again once they are enrolled again."""
    person = accounts.person_by_email(email)
    role = accounts.unenrol(course_id, person.id)
    console.print(f"{one_line(person.email)} is no longer {role} in {course_id}; what was handed in is kept")


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
