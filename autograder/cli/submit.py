"""`autograder submit` and `autograder login`: the loop from a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.text import Text

from autograder.cli.client import OUR_FAILURE, Client, Kept, Stop, keep, stored, stored_for
from autograder.text import one_line, printable

_MARKS = {
    "passed": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
    "grader_error": ("!", "magenta"),
}
_DEFAULT_SERVER = "http://127.0.0.1:8000"
Server = Annotated[
    str,
    typer.Option(
        envvar="AUTOGRADER_SERVER",
        help="Address of the autograder.",
        show_default=f"that of the last login, else {_DEFAULT_SERVER}",
    ),
]


def submit(
    file: Annotated[Path, typer.Argument(help="A notebook (.ipynb), a module (.py) or a .zip.")],
    assignment: Annotated[str, typer.Option(help="Id of the assignment.")],
    server: Server = "",
    token: Annotated[str, typer.Option(envvar="AUTOGRADER_TOKEN", help="Your token; default: the one of login.")] = "",
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Follow the grading until it is done.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")] = False,
) -> None:
    """Hand in a file and follow its grading.

    Exit code 0: all shown checks passed, 1: some did not, 2: refused, 3: our failure.
    """
    console = Console(stderr=as_json, highlight=False, markup=False)
    try:
        # A token that was given is of no known server, so that of the last login is not taken for it.
        chosen = Kept(token, server) if token else stored_for(server)
        client = Client(chosen.server or _DEFAULT_SERVER, chosen.token)
        made = client.hand_in(assignment, file)
        console.print(f"Handed in as attempt {made['attempt']}: {one_line(made['page'], 500)}", soft_wrap=True)
        final = _follow(client, made, console) if watch else made
    except Stop as stop:
        raise typer.Exit(_stop(stop, as_json)) from None
    if as_json:
        print(json.dumps(final, indent=2))
    raise typer.Exit(_summary(final, console) if watch else 0)


def login(
    email: Annotated[str, typer.Option(prompt=True)],
    server: Server = "",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="AUTOGRADER_PASSWORD")] = "",
) -> None:
    """Sign in and keep a token, so that `submit` needs none."""
    server = (server or stored().server or _DEFAULT_SERVER).rstrip("/")
    try:
        token = Client(server).sign_in(email, password)
    except Stop as stop:
        raise typer.Exit(_stop(stop, False)) from None
    path = keep(Kept(token, server))
    print(f"Signed in at {server}. The token is kept in {path}.")


def _follow(client: Client, made: dict[str, Any], console: Console) -> dict[str, Any]:
    """Show the grading as it goes; the final state."""
    shown: set[int] = set()
    final = made
    with console.status("waiting") as status:
        for final in client.follow(made["id"]):
            report = final.get("report")
            for check in (report or {}).get("checks") or final.get("progress") or []:
                if check["number"] not in shown:
                    shown.add(check["number"])
                    _show_check(check, console)
            _show_state(final, status)
    return final


def _show_state(state: Mapping[str, Any], status: Status) -> None:
    ahead = state.get("position", 0)
    waiting = f"waiting in line, {ahead} ahead" if ahead else "next in line"
    text = waiting if state["status"] == "queued" else one_line(state.get("activity") or "grading")
    status.update(Text(text))


def _show_check(check: Mapping[str, Any], console: Console) -> None:
    verdict = str(check["verdict"])
    mark, style = _MARKS.get(verdict, ("✗", "red"))
    line = Text.assemble((f"{mark} ", style), (one_line(check["name"]), "bold"))
    line.append(f"  {check['score']:g}/{check['max_score']:g}", "dim")
    if verdict not in ("passed", "failed"):
        line.append(f"  {verdict.replace('_', ' ')}", style)
    console.print(line)
    if verdict != "passed":
        for text, look in ((check["message"], ""), (check["hint"], "cyan")):
            if text:
                console.print(Padding(Text(printable(text, 2000), look), (0, 0, 0, 2)))


def _summary(final: Mapping[str, Any], console: Console) -> int:
    """Print the result; the exit code."""
    report = final.get("report")
    if not report or report["verdict"] == "grader_error":
        console.print("Something went wrong on our side; this attempt does not count. Your instructor can regrade it.")
        return OUR_FAILURE
    checks = report["checks"]
    passed = sum(check["verdict"] == "passed" for check in checks)
    withheld = report["withheld"]
    line = Text.assemble((f"{report['score']:g}/{report['max_score']:g} points", "bold"))
    line.append(f", {passed} of {len(checks)} {'shown ' if withheld else ''}checks passed")
    never = report["withheld_until"].get("hidden", 0)
    if withheld > never:
        line.append(f"; {withheld - never} more count as well and are not shown yet")
    if never:
        line.append(f"; {never} more count as well and stay hidden")
    console.print(line, soft_wrap=True)
    if report["warning"]:
        console.print(Text(printable(report["warning"], 1000), "yellow"), soft_wrap=True)
    return 0 if passed == len(checks) and (checks or not withheld) else 1


def _stop(stop: Stop, as_json: bool) -> int:
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(Text(printable(stop.message, 2000), "red"))
    if stop.hint:
        console.print(Text(printable(stop.hint, 2000)))
    if as_json:
        print(json.dumps(dict(stop.problem) or {"status": None, "detail": stop.message, "hint": stop.hint}, indent=2))
    return stop.code
