"""What `autograder spec` offers to authors: new specs, handouts, the JSON schema, a spec at a glance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.authoring.handout import data_files, handout_files, need_new, write_handout
from autograder.authoring.new_spec import new_spec
from autograder.authoring.schema import SCHEMA_FILE, schema_text
from autograder.config import settings
from autograder.errors import SpecError
from autograder.proof import record
from autograder.proof.calibrate import changes
from autograder.sandbox.runtime import discover
from autograder.specs.calibration import read
from autograder.specs.dataset import secret_seed
from autograder.specs.loader import LoadedCheck, LoadedSpec, load_spec
from autograder.specs.solutions import find_solutions

console = Console(highlight=False, markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands to `autograder spec`."""
    app.command("new")(new)
    app.command("show")(show)
    app.command("handout")(handout)
    app.command("schema")(schema)


def new(spec_id: Annotated[str, typer.Argument(metavar="ID", help="Its id: small letters, digits, hyphens.")]) -> None:
    """Start a new grader spec from a small one that works."""
    conf = settings()
    for path in new_spec(spec_id, conf.specs_dir, conf.solutions_dir):
        console.print(f"  {_short(path)}")
    console.print(f"Now edit {_short(conf.specs_dir / spec_id)}. Into {_short(conf.solutions_dir / spec_id)} put right")
    console.print("solutions under accepted/ and one planted bug into each folder under wrong_answer/. Then run:")
    console.print(f"  bin/autograder spec verify {spec_id}")
    console.print("docs/writing-a-spec.md goes through it.")


def show(spec_id: Annotated[str, typer.Argument(metavar="ID", help="Spec id.")]) -> None:
    """A spec at a glance: what students hand in and get, what is observed and checked, for how many points."""
    loaded = load_spec(settings().specs_dir / spec_id)
    spec = loaded.spec
    console.print(f"{spec.id}: {spec.title} ({spec.points:g} points, lane {spec.lane}, loaded as {spec.load})")
    if spec.summary:
        console.print(spec.summary)
    console.print("\nStudents define")
    for entry in spec.entry_points.values():
        also = (
            f" (also {', '.join((*entry.names[1:], *entry.factories))})" if entry.names[1:] or entry.factories else ""
        )
        console.print(f"  {entry.kind} {entry.names[0]}{also}{'' if entry.required else ', if they want'}")
    console.print("\nStudents get")
    for name in sorted(_handed_out(loaded)):
        console.print(f"  {name}")
    console.print(f"\nData: {', '.join(spec.data.sets) if spec.data else 'none'}")
    console.print("\nObserved")
    for name, observation in spec.observations.items():
        said = observation.model_dump(mode="json", exclude_defaults=True, exclude={"probe"})
        console.print(f"  {name}: {observation.probe}{_inline(said)}")
    for stage in spec.stages:
        console.print(f"\n{stage.name}{' (has to pass before what follows)' if stage.stop_on_failure else ''}")
        for check in [c for c in loaded.checks if c.stage == stage.name]:
            _show_check(check)
    for line in _calibrations(loaded):
        console.print(line)


def _calibrations(loaded: LoadedSpec) -> Iterator[str]:
    """A line for each calibration: how it was made, and whether it still holds."""
    conf = settings()
    for name in loaded.spec.data.sets if loaded.spec.data else ():
        made = read(loaded.folder, name, loaded.spec.lane)
        if made is None:
            continue
        said = (
            f"\nCalibrated on {name}, lane {made.lane.value}: {made.seeds} seeds, {100 * made.false_fail:g}% false fail"
        )
        try:
            data = loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret), name)
            solutions = find_solutions(conf.solutions_dir / loaded.spec.id)
            changed = changes(loaded, made, data, solutions, discover(conf.runtime_python).versions["digest"])
            yield f"{said}; stale: {', '.join(changed)} changed since" if changed else f"{said}; up to date"
        except SpecError:
            yield f"{said}; whether it is up to date can't be told without that data set"


def _show_check(check: LoadedCheck) -> None:
    entry = check.spec
    seen = "" if entry.visibility.value == "visible" else f", {entry.visibility.value.replace('_', ' ')}"
    console.print(f"  {entry.points:4g}  {entry.id}: {entry.type} of {entry.observe}{seen}{_inline(entry.params)}")
    for name, changed in entry.by_data.items():
        console.print(f"        on {name}:{_inline(changed)}")


def _inline(values: object) -> str:
    return f" {json.dumps(values, ensure_ascii=False, default=str)}" if values else ""


def _handed_out(loaded: LoadedSpec) -> list[str]:
    if not (loaded.folder / "README.md").is_file():
        return ["nothing yet: README.md is missing"]
    return list(handout_files(loaded.folder))


def handout(
    spec_id: Annotated[str, typer.Argument(metavar="ID", help="Spec id.")],
    out: Annotated[Path | None, typer.Option(help="A folder or .zip to make; default: ID-handout.zip here.")] = None,
    files: Annotated[
        bool, typer.Option("--files/--no-files", help="With the files of the task's data, such as weights.")
    ] = True,
    unproven: Annotated[
        bool, typer.Option("--unproven", help="Also where no mutants show that the spec is good.")
    ] = False,
) -> None:
    """Make what students are given: instructions and starter as a notebook, the starter as a module, data files.

    Refused unless `spec mutate` has shown, for the spec as it is now, that 95 % of planted mistakes are caught.
    """
    conf = settings()
    loaded = load_spec(conf.specs_dir / spec_id)
    if not unproven:
        _need_proof(loaded, conf.solutions_dir / spec_id)
    target = out or Path(f"{spec_id}-handout.zip")
    given = handout_files(loaded.folder)
    need_new(target)
    if files:
        data = loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret))
        given |= data_files(data)
        for folder in data.folders:
            console.print(f"{folder} is a folder of yours: hand it to your students yourself.")
    write_handout(given, target)
    console.print(f"{target}: {', '.join(sorted(given))}")


def _need_proof(loaded: LoadedSpec, folder: Path) -> None:
    """Raises SpecError, which names the way around as well, if the spec does not pass the gate."""
    try:
        record.need(loaded, find_solutions(folder), folder)
    except SpecError as error:
        advice = f"{error.hint} To look at the handout before that, add --unproven."
        raise SpecError(error.message, advice) from error


def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if the file is out of date.")
    ] = False,
) -> None:
    """Write the JSON schema by which editors complete and check spec.yaml."""
    path = settings().specs_dir / SCHEMA_FILE
    text = schema_text()
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        console.print(f"{_short(path)} is up to date")
    elif check:
        console.print(f"{_short(path)} is out of date; run: bin/autograder spec schema")
        raise typer.Exit(1)
    else:
        path.write_text(text, encoding="utf-8")
        console.print(f"{_short(path)} written")


def _short(path: Path) -> str:
    """The path as seen from here, where it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
