"""Reference solutions: which files prove a spec, and what each is expected to get. Folder names are verdicts."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autograder.errors import SpecError
from autograder.model import Verdict
from autograder.specs.source import read_yaml, spec_error

FOLDERS = {
    "accepted": Verdict.PASSED,
    "partially_accepted": Verdict.PARTIAL,
    "wrong_answer": Verdict.FAILED,
    "time_limit_exceeded": Verdict.TIMED_OUT,
    "run_time_error": Verdict.CRASHED,
    "memory_limit_exceeded": Verdict.OUT_OF_MEMORY,
    "hostile": Verdict.FAILED,
}
_SUFFIXES = {".py", ".ipynb", ".zip"}


class ScoreRange(BaseModel):
    """Bounds of the whole score, in points."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    min: float = 0.0
    max: float = float("inf")


class Expectation(BaseModel):
    """What expect.yaml beside a solution may say. All keys are optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    verdict: Verdict | None = Field(None, description="Default: what the folder's name says.")
    fails: tuple[str, ...] = Field((), description="Ids of checks that must not pass.")
    passes: tuple[str, ...] = Field((), description="Ids of checks that must pass.")
    score: Annotated[ScoreRange, Field(description="Bounds of the score.")] = ScoreRange()
    says: tuple[str, ...] = Field((), description="Words that must stand in a message or hint of a failed check.")


@dataclass(frozen=True)
class Solution:
    """One solution. data: what a student would upload under filename."""

    name: str  # e.g. wrong_answer/no_zero_grad
    filename: str
    data: bytes
    verdict: Verdict
    expect: Expectation

    @property
    def accepted(self) -> bool:
        """True if the folder says that it is right."""
        return self.name.startswith("accepted/")


def find_solutions(folder: Path) -> list[Solution]:
    """All solutions below reference_solutions/<spec id>, right ones first. Raises SpecError on stray files."""
    if not folder.is_dir():
        raise SpecError(f"{folder}: no reference solutions", "Add at least accepted/ and wrong_answer/<bug>/.")
    found = []
    for group in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))):
        if group.name not in FOLDERS:
            raise SpecError(f"{group}: the folder's name is no verdict", f"Use one of: {', '.join(FOLDERS)}.")
        for path in sorted(group.iterdir()):
            if path.name.startswith((".", "_")) or path.suffix == ".yaml":
                continue
            found.append(_solution(group, path))
    return sorted(found, key=lambda s: (list(FOLDERS).index(s.name.split("/")[0]), s.name))


def _solution(group: Path, path: Path) -> Solution:
    if path.is_dir():
        filename, data = _folder_upload(path)
        expect = _expectation(path / "expect.yaml")
    elif path.suffix in _SUFFIXES:
        filename, data = path.name, path.read_bytes()
        expect = _expectation(path.with_suffix(".expect.yaml"))
    else:
        raise SpecError(f"{path}: not a solution", "Solutions are .py, .ipynb or .zip files, or folders of them.")
    name = f"{group.name}/{path.stem if path.is_file() else path.name}"
    return Solution(name, filename, data, expect.verdict or FOLDERS[group.name], expect)


def _folder_upload(path: Path) -> tuple[str, bytes]:
    """A folder's one file as it is; several are zipped, as a student would."""
    files = sorted(
        p for p in path.rglob("*") if p.is_file() and p.name != "expect.yaml" and "__pycache__" not in p.parts
    )
    if not files:
        raise SpecError(f"{path}: holds no solution", "Put submission.py or submission.ipynb there.")
    if len(files) == 1:
        return files[0].name, files[0].read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(str(file.relative_to(path))), file.read_bytes())
    return f"{path.name}.zip", buffer.getvalue()


def _expectation(path: Path) -> Expectation:
    if not path.exists():
        return Expectation()
    tree, marks = read_yaml(path)
    try:
        return Expectation.model_validate({} if tree is None else tree)
    except ValidationError as error:
        raise spec_error(path, error, marks, Expectation) from error
