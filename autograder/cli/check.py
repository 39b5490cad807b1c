"""`autograder check`: the check types there are, and a new one to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from autograder.authoring.new_check import new_check
from autograder.authoring.reference import check_section, checks_page, probe_section
from autograder.checks import registry
from autograder.config import ROOT
from autograder.errors import UsageError
from autograder.specs.schema import PROBES
from autograder.specs.source import suggest

app = typer.Typer(help="List, show and start check types.", no_args_is_help=True)
console = Console(highlight=False, markup=False)
PAGE = ROOT / "docs" / "checks.md"


@app.command("list")
def list_checks() -> None:
    """Every check type with the probes it judges."""
    kinds = registry.all_checks()
    width = max(map(len, kinds))
    for kind in sorted(kinds):
        console.print(f"{kind:{width}}  {kinds[kind].title} ({', '.join(sorted(kinds[kind].probes))})", soft_wrap=True)


@app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A check type or a probe.")]) -> None:
    """What a check type judges or a probe asks, and its parameters."""
    check = registry.find(name)
    sections = [check_section(check)] if check else []
    sections += [probe_section(name)] if name in PROBES else []
    if not sections:
        raise UsageError(f"there is no check type or probe '{name}'", suggest(name, {*registry.names(), *PROBES}))
    text = "\n".join(sections)
    console.print(Markdown(text) if console.is_terminal else text, soft_wrap=not console.is_terminal)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: small letters, digits, underscores.")],
    root: Annotated[Path, typer.Option(help="Folder of the project.")] = ROOT,
) -> None:
    """Start a new check type: module, contract example and test, which pass as they are."""
    for path in new_check(name, root):
        console.print(f"  {path.relative_to(root)}", soft_wrap=True)
    console.print("They work as they are:")
    console.print(f"  bin/test tests/checks/test_{name}.py tests/unit/test_check_contract.py -k {name}")
    console.print(
        "Make them yours (docs/adding-a-check.md), then bring the reference and the editors' schema up to date:"
    )
    console.print("  bin/autograder check docs; bin/autograder spec schema")


@app.command("docs")
def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 if it is out of date.")] = False,
) -> None:
    """Write docs/checks.md, the reference of all check types and probes."""
    text = checks_page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        console.print("docs/checks.md is up to date")
    elif check:
        console.print("docs/checks.md is out of date; run: bin/autograder check docs")
        raise typer.Exit(1)
    else:
        PAGE.write_text(text, encoding="utf-8")
        console.print("docs/checks.md written")
