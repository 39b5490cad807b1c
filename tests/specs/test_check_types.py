"""The check types on what real probes answer: a right submission passes each of them, a wrong one none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec

FOLDER = Path(__file__).parent.parent / "fixtures/specs/check-types"
SAYS = {
    "order": "After the first linear layer (fc1): ReLU expected, sigmoid found.",
    "parameters": "Expected 691 parameters, found 731.",
    "moves": "conv.weight must stay frozen",
    "layers": "In eval mode the same inputs gave different answers",
    "values": "5 of 6 answers are wrong",
    "refused": "TypeError was expected, but the call returned None",
    "gradients": "1/N is missing",
    "padding": "Padding after a sequence changes its answer.",
    "written": "xavier_uniform_ is not called.",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


def grade(sandbox: Sandbox, name: str) -> GradeReport:
    loaded = load_spec(FOLDER)
    upload = unpack("submission.py", (FOLDER / name).read_bytes())
    return pipeline.grade(loaded, upload, sandbox)


def test_a_right_submission_passes_every_check(sandbox: Sandbox) -> None:
    report = grade(sandbox, "right.py")
    assert {c.id: c.message for c in report.checks if c.verdict is not Verdict.PASSED} == {}


def test_a_wrong_one_is_told_what_is_wrong_by_each(sandbox: Sandbox) -> None:
    checks = {c.id: c for c in grade(sandbox, "wrong.py").checks}
    assert {i: c.message for i, c in checks.items() if c.verdict is Verdict.PASSED}.keys() == {"sequence", "used"}
    for check, words in SAYS.items():
        assert words in checks[check].message
