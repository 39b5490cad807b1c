"""A stored job is graded again for real: the same grade to the last digit, and words for what changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.errors import NotFound
from autograder.model import Verdict
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.services import replay
from autograder.services.grade import grade_one
from autograder.services.submit import submit
from tests.conftest import ROOT, SPECS, Configure
from tests.factories import Class, make_class

SOLUTIONS = ROOT / "tests/fixtures/solutions/tiny-training"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


def graded(group: Class, path: Path, sandbox: Sandbox) -> str:
    """Id of a submission graded for real."""
    view = submit(group.students[0], group.assignment_id, path.name, path.read_bytes())
    assert grade_one("cpu", "w1", sandbox)
    return view.id


def test_a_stored_grade_comes_out_again_and_changes_are_named(
    database: str, sandbox: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    group = make_class(spec_id="tiny-training")
    right = graded(group, SOLUTIONS / "accepted/reference.py", sandbox)
    wrong = graded(group, SOLUTIONS / "wrong_answer/no_step/submission.py", sandbox)
    stored = replay.find(right)
    assert replay.find(stored.job_id) == stored
    assert stored.verdict is Verdict.PASSED
    assert {
        "spec",
        "code",
        "data",
        "submission",
        "seed",
        "processor",
        "threads",
        "runtime.digest",
    } <= stored.receipt.keys()
    again = replay.replay(stored, sandbox)
    assert (again.same, again.receipt, again.score) == (True, (), stored.score)
    assert replay.replay(replay.find(wrong), sandbox).same
    patched = replace(stored, receipt={**stored.receipt, "code": "0" * 16})
    assert "the grader's code differs" in replay.replay(patched, sandbox).receipt[0]
    old = replace(stored, receipt={name: value for name, value in stored.receipt.items() if name != "code"})
    assert [line.split(",")[0] for line in replay.replay(old, sandbox).receipt] == ["code: not kept at the time"]
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    path = tmp_path / "tiny-training" / "spec.yaml"
    path.write_text(path.read_text().replace("min: 0.6", "min: 0.999"))
    configure(specs_dir=tmp_path)
    changed = replay.replay(stored, sandbox)
    assert not changed.same
    assert [line.split(":")[0] for line in changed.receipt] == ["spec"]
    assert any(line.startswith("accuracy: verdict is passed, then failed") for line in changed.checks)
    assert not any(line.startswith("alone") for line in changed.checks)


def test_what_was_never_graded_can_not_be_replayed(database: str) -> None:
    with pytest.raises(NotFound):
        replay.find("j_nothing")
