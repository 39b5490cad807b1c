"""`autograder demo`: a course to try things out on, with people, an assignment for every spec, and submissions."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from autograder.config import Settings
from autograder.errors import UsageError
from autograder.model import Role
from autograder.services import accounts, gradebook
from autograder.services.submit import submit
from autograder.services.views import Person
from autograder.specs.loader import load_all

COURSE = "demo"
SPEC = "ccds-cnn-1"
# Student → the reference solution that the demo hands in for them, and what it is.
WORK = {
    "ada": ("accepted/colab_notebook.ipynb", "a right Colab notebook"),
    "ben": ("partially_accepted/frozen_first_layers", "a partly right model"),
    "chi": ("wrong_answer/wrong_class_count", "a wrong output shape"),
    "dan": ("time_limit_exceeded/infinite_loop_in_train", "an endless loop in train"),
    "eva": ("run_time_error/crash_in_forward", "a crash in forward"),
    "fay": ("hostile/reads_files_and_forges_score", "an attack on the grader"),
    "gus": ("", "nothing handed in yet"),
}


@dataclass(frozen=True)
class Login:
    """What somebody needs to sign in."""

    email: str
    password: str
    token: str


def set_up(settings: Settings) -> dict[str, Login]:
    """Create course, people, assignments and submissions; what exists is left alone. Returns log-ins by name."""
    kept = settings.var_dir / "demo.json"
    if kept.exists():
        return {name: Login(**login) for name, login in json.loads(kept.read_text()).items()}
    accounts.ensure_course(COURSE, "Demo course")
    for name, loaded in load_all(settings.specs_dir).items():
        accounts.ensure_assignment(name, COURSE, name, loaded.spec.title)
    logins, people = {}, {}
    for name in ("instructor", *WORK):
        email, password = f"{name}@example.org", secrets.token_urlsafe(9)
        people[name] = accounts.ensure_user(email, name.capitalize(), password)
        accounts.enrol(COURSE, people[name].id, Role.INSTRUCTOR if name == "instructor" else Role.STUDENT)
        logins[name] = Login(email, password, accounts.create_token(people[name].id, "demo"))
    for name, (work, _) in WORK.items():
        _hand_in(settings, people[name], work)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({name: asdict(login) for name, login in logins.items()}, indent=1))
    return logins


def _hand_in(settings: Settings, person: Person, work: str) -> None:
    if not work or gradebook.submissions(person, SPEC):
        return
    path = _file(settings.solutions_dir / SPEC / work)
    try:
        submit(person, SPEC, path.name, path.read_bytes())
    except UsageError as error:
        print(f"demo: {person.name}'s submission was refused: {error}")


def _file(path: Path) -> Path:
    """The first submission file at or below a path."""
    if path.is_file():
        return path
    return next(p for p in sorted(path.rglob("*")) if p.suffix in {".py", ".ipynb", ".zip"})


def show(settings: Settings, logins: dict[str, Login], console: Console) -> None:
    """Print addresses, log-ins and a ready curl line."""
    url = settings.public_url
    console.print(f"\n[bold]The autograder runs at {url}[/]  (Ctrl+C ends it)\n")
    for name, login in logins.items():
        note = WORK[name][1] if name in WORK else "sees all scores"
        console.print(f"  {login.email:24} password [bold]{login.password}[/]   {note}", soft_wrap=True)
    login = logins["gus"]
    example = settings.solutions_dir / SPEC / "accepted/colab_notebook.ipynb"
    console.print("\nHand something in as gus:\n")
    print(
        f'  curl -H "Authorization: Bearer {login.token}" -F file=@{_short(example)} \\\n'
        f"       {url}/api/v1/assignments/{SPEC}/submissions\n\n"
        f"  AUTOGRADER_TOKEN={login.token} bin/autograder submit {_short(example)} --assignment {SPEC} --watch\n",
        flush=True,
    )


def _short(path: Path) -> str:
    """The path as seen from the current folder, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
