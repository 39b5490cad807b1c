"""Close calls on real trainings: one run where the result is clear, several where it is not, always the same."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder import pipeline
from autograder.intake import unpack
from autograder.model import CheckResult, Verdict
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import load_spec
from autograder.specs.solutions import Solution
from tests.conftest import SPECS


def accuracy(folder: Path, limit: float, solution: Solution, data: DataSet, sandbox: Sandbox) -> CheckResult:
    target = folder / str(limit) / "tiny-training"
    if not target.exists():
        shutil.copytree(SPECS / "tiny-training", target)
        path = target / "spec.yaml"
        path.write_text(
            path.read_text().replace("min: 0.6", f"min: {limit}").replace("reseed: {}", "reseed: {band: 1}")
        )
    upload = unpack(solution.filename, solution.data)
    return pipeline.grade(load_spec(target), upload, sandbox, data=data).checks[-1]


def test_a_clear_result_takes_one_run_and_a_close_one_more(
    tmp_path: Path, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    right = solutions["accepted/reference"]  # 0.92 to 0.98 over the seeds
    assert "runs that decided" not in accuracy(tmp_path, 0.3, right, data, sandbox).evidence
    close = accuracy(tmp_path, 0.955, right, data, sandbox)
    passed, of = map(int, close.evidence["runs that decided"].removesuffix(" passed").split(" of "))
    assert 3 <= of <= 9
    assert close.verdict is (Verdict.PASSED if passed / of > 0.6 else Verdict.FAILED)
    again = accuracy(tmp_path, 0.955, right, data, sandbox)
    assert (again.message, again.evidence) == (close.message, close.evidence)
    sure = accuracy(tmp_path, 0.92, right, data, sandbox)
    assert sure.verdict is Verdict.PASSED
    wrong = accuracy(tmp_path, 0.955, solutions["wrong_answer/no_step"], data, sandbox)
    assert (wrong.verdict, "runs that decided" in wrong.evidence) == (Verdict.FAILED, False)
