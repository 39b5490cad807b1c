"""The gate before students: a handout asks for a record that planted mistakes in the spec's right solutions are caught.

The record lies beside the solutions as proof.json, so that it is committed and travels with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder import installed
from autograder.errors import SpecError
from autograder.proof.mutation.run import EQUIVALENTS, GATE, LEAST, Score
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution

FILE = "proof.json"


class Record(BaseModel):
    """counts: mutants by fate. digest: of the spec and its right solutions; grader: of the code that judged them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    spec: str
    digest: str
    grader: str
    counts: dict[str, int]


def write(loaded: LoadedSpec, solutions: list[Solution], folder: Path, counts: Mapping[str, int]) -> Path | None:
    """Keep what a campaign over all right solutions found; None, and nothing is written, if it judged no mutant.

    folder: reference_solutions/<spec id>. Raises OSError.
    """
    if Score(counts).score is None:
        return None
    digest = _digest(loaded, solutions, folder)
    made = Record(
        spec=loaded.spec.id, digest=digest, grader=installed.grader_code(), counts=dict(sorted(counts.items()))
    )
    path = folder / FILE
    path.write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def need(loaded: LoadedSpec, solutions: list[Solution], folder: Path) -> None:
    """Raises SpecError if no record shows that the spec, as it is now, passes the gate."""
    path, command = folder / FILE, f"bin/autograder spec mutate {loaded.spec.id}"
    if not path.exists():
        raise SpecError(f"{loaded.spec.id}: nothing shows that planted mistakes are caught", f"Run: {command}")
    try:
        found = Record.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: is no record of mutants", f"Run: {command}") from error
    if found.digest != _digest(loaded, solutions, folder):
        raise SpecError(f"{path}: the spec or its right solutions changed since", f"Run: {command}")
    result = Score(found.counts)
    if not result.passes:
        raise SpecError(
            f"{path}: {result.score or 0:.1%} of the planted mistakes were caught, below the gate of {GATE:.0%}",
            "Sharpen a check, or add one, until the survivors are caught; list those that are no mistakes in "
            f"{EQUIVALENTS}. Then run: {command}",
        )
    if not result.enough:
        raise SpecError(
            f"{path}: fewer than {LEAST} mutants were judged", f"Give it more seconds: {command} --budget 600"
        )


def _digest(loaded: LoadedSpec, solutions: list[Solution], folder: Path) -> str:
    """Of what a campaign's outcome depends on; the wrong solutions are no part of it."""
    total = hashlib.sha256(loaded.digest.encode())
    for solution in solutions:
        if solution.accepted:
            total.update(solution.name.encode() + b"\0" + hashlib.sha256(solution.data).digest())
    listed = folder / EQUIVALENTS
    total.update(listed.read_bytes() if listed.exists() else b"")
    return total.hexdigest()
