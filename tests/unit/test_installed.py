"""The digest of the grader's own code: changes with a line of it, and with nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from autograder.installed import code_digest, grader_code
from tests.conftest import ROOT


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("autograder", "harness"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_places_times_and_caches_do_not_count(copied: Path) -> None:
    for path in copied.rglob("*.py"):
        os.utime(path, (0, 0))
    (copied / "autograder" / "checks" / "measures.pyc").write_bytes(b"compiled")
    assert code_digest(copied) == grader_code()


@pytest.mark.parametrize(
    "file",
    [
        "autograder/checks/measures.py",
        "autograder/intake/code.py",
        "autograder/probing/calls.py",
        "autograder/python_text.py",
        "autograder/reseeding.py",
        "harness/learning.py",
    ],
)
def test_a_line_of_what_decides_a_grade_counts(copied: Path, file: str) -> None:
    with (copied / file).open("a") as code:
        code.write("# a line\n")
    assert code_digest(copied) != grader_code()


def test_a_line_elsewhere_does_not(copied: Path) -> None:
    with (copied / "autograder" / "cli" / "spec.py").open("a") as code:
        code.write("# a line\n")
    assert code_digest(copied) == grader_code()
