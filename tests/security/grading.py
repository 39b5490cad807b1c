"""Grades hostile submissions by the spec in vault/, which asks every probe with hidden inputs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import GradeReport
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec

HERE = Path(__file__).parent
SUBMISSIONS = {path.stem: path for path in sorted((HERE / "submissions").glob("*.py"))}
PRELUDE = (HERE / "submission_prelude.py").read_text("utf-8")

Grade = Callable[[str, bytes], GradeReport]


def hostile(name: str) -> bytes:
    """The whole submission of one file of submissions/."""
    return f"{PRELUDE}\n\n{SUBMISSIONS[name].read_text('utf-8')}".encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(sandbox_name: str) -> Iterator[Sandbox]:
    """One sandbox for all; for fixtures."""
    sandbox = open_sandbox(settings().model_copy(update={"sandbox": sandbox_name}))
    yield sandbox
    sandbox.close()


def grader(sandbox: Sandbox) -> Grade:
    """Grades by the vault."""
    loaded = load_spec(HERE / "vault")
    data = loaded.build_data(None, loaded.spec.seed)

    def grade(filename: str, content: bytes) -> GradeReport:
        return pipeline.grade(loaded, unpack(filename, content), sandbox, data=data)

    return grade


@pytest.fixture(scope="session")
def grading_sandbox(pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    """The fork server, or the one that `--sandbox` names."""
    yield from opened(pytestconfig.getoption("--sandbox") or "forkserver")


@pytest.fixture(scope="session")
def grade(grading_sandbox: Sandbox) -> Grade:
    """Grade on the fork server, or on the one that `--sandbox` names."""
    return grader(grading_sandbox)


@pytest.fixture(scope="session")
def grade_slowly() -> Iterator[Grade]:
    """Grade on bubblewrap, where each start takes seconds."""
    for sandbox in opened("bubblewrap"):
        yield grader(sandbox)
