"""The pipeline on a scripted sandbox: stages, blame, restarts, and what a tainted process may still say."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import pipeline
from autograder.errors import SandboxError
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.pipeline import Progress
from autograder.specs.loader import LoadedSpec, load_spec
from tests.fakes import FakeSandbox

SPEC = """\
id: scripted
title: A scripted spec
points: 5
entry_points:
  model: {kind: model, names: [Net]}
data: {sets: [standin]}
observations:
  names: {probe: resolve}
  public: {probe: forward, inputs: public_inputs, repeat: 2}
  hidden: {probe: forward, inputs: hidden_inputs, repeat: 2}
  gradients: {probe: gradient_norms, inputs: public_inputs, targets: public_labels}
stages:
  - name: Names
    stop_on_failure: true
    checks:
      - {id: names, type: entry_points, observe: names, points: 1}
  - name: Shapes
    checks:
      - {id: shape, type: output_shape, observe: public, points: 1, params: {shape: [N, 4]}}
      - {id: finite, type: finite, observe: public, points: 1}
      - {id: gradients, type: gradient_flow, observe: gradients, points: 1}
  - name: Hidden
    checks:
      - {id: hidden_finite, type: finite, observe: hidden, points: 1}
"""
DATA = """\
import numpy as np
from autograder.specs.dataset import DataSet

def build(name, data_dir, seed):
    arrays = {key: np.zeros((2, 3), np.float32) for key in ("public_inputs", "hidden_inputs")}
    arrays["public_labels"] = np.zeros(2, np.int64)
    return DataSet(name, arrays, hidden=frozenset({"hidden_inputs"}))
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedSpec:
    folder = tmp_path / "scripted"
    folder.mkdir()
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "data.py").write_text(DATA)
    return load_spec(folder)


def grade(loaded: LoadedSpec, *script: str) -> tuple[GradeReport, dict[str, Verdict]]:
    lines = [f"# fake {line}" for line in script]
    upload = unpack("net.py", "\n".join([*lines, "x = 1", ""]).encode())
    report = pipeline.grade(loaded, upload, FakeSandbox())
    return report, {check.id: check.verdict for check in report.checks}


def test_checks_come_in_order_and_add_up(loaded: LoadedSpec) -> None:
    report, verdicts = grade(loaded)
    assert list(verdicts) == ["names", "shape", "finite", "gradients", "hidden_finite"]
    assert [c.number for c in report.checks] == [1, 2, 3, 4, 5]
    assert verdicts["gradients"] is Verdict.FAILED  # the fake answers no gradients
    assert (report.score, report.max_score, report.verdict) == (4.0, 5.0, Verdict.FAILED)
    assert report.receipt["spec"] == loaded.digest
    assert report.receipt["data"].startswith("standin ")
    assert report.warning


def test_a_stage_that_stops_skips_all_later_ones(loaded: LoadedSpec) -> None:
    _, verdicts = grade(loaded, "resolve missing")
    assert verdicts["names"] is Verdict.FAILED
    assert {verdicts[i] for i in ("shape", "finite", "gradients", "hidden_finite")} == {Verdict.SKIPPED}


def test_a_probe_that_dies_costs_one_check_its_verdict_and_no_other_its_result(loaded: LoadedSpec) -> None:
    report, verdicts = grade(loaded, "gradient_norms stop timed_out")
    assert verdicts == {
        "names": Verdict.PASSED,
        "shape": Verdict.PASSED,
        "finite": Verdict.PASSED,
        "gradients": Verdict.TIMED_OUT,
        "hidden_finite": Verdict.PASSED,  # in a fresh process
    }
    assert report.verdict is Verdict.TIMED_OUT
    assert report.score == 4.0


def test_checks_of_one_dead_probe_are_blamed_once(loaded: LoadedSpec) -> None:
    report, verdicts = grade(loaded, "forward stop out_of_memory")
    assert (verdicts["shape"], verdicts["finite"]) == (Verdict.OUT_OF_MEMORY, Verdict.SKIPPED)
    assert "“Output shape”" in report.checks[2].message
    assert verdicts["hidden_finite"] is Verdict.OUT_OF_MEMORY  # its own probe, its own fate


def test_a_submission_that_does_not_load_says_so_once(loaded: LoadedSpec) -> None:
    report, verdicts = grade(loaded, "load raise no such thing")
    assert verdicts["names"] is Verdict.CRASHED
    assert "ValueError: no such thing" in report.checks[0].message
    assert set(list(verdicts.values())[1:]) == {Verdict.SKIPPED}


def test_our_own_failure_is_raised_not_scored(loaded: LoadedSpec) -> None:
    with pytest.raises(SandboxError):
        grade(loaded, "forward break the pipe")


def test_nan_fails(loaded: LoadedSpec) -> None:
    _, verdicts = grade(loaded, "forward nan")
    assert verdicts["finite"] is Verdict.FAILED


def test_errors_are_shown_in_full_until_hidden_inputs_arrive(loaded: LoadedSpec) -> None:
    report, _ = grade(loaded, "forward raise the shapes (2, 3) and (4, 5) do not fit")
    by_id = {check.id: check for check in report.checks}
    assert "the shapes (2, 3)" in by_id["shape"].message
    hidden = by_id["hidden_finite"]
    assert hidden.verdict is Verdict.CRASHED
    assert "the shapes" not in f"{hidden.message} {hidden.hint} {hidden.evidence}"
    assert "ValueError" in hidden.message


def test_output_is_what_was_printed_before_hidden_inputs(loaded: LoadedSpec) -> None:
    assert grade(loaded)[0].output == "hello from the fake\n"


def test_progress_names_what_is_going_on_and_counts_up(loaded: LoadedSpec) -> None:
    seen: list[Progress] = []
    upload = unpack("net.py", b"x = 1\n")
    pipeline.grade(loaded, upload, FakeSandbox(), on_progress=seen.append)
    counts = [len(progress.checks) for progress in seen]
    assert counts == sorted(counts)
    assert counts[-1] == 5
    assert any("running hidden" in progress.activity for progress in seen)


def test_a_progress_listener_can_stop_the_grading(loaded: LoadedSpec) -> None:
    def stop(_progress: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pipeline.grade(loaded, unpack("net.py", b"x = 1\n"), FakeSandbox(), on_progress=stop)


def test_a_check_that_students_see_carries_the_error_of_a_probe(loaded: LoadedSpec) -> None:
    text = SPEC.replace("id: shape, type: output_shape,", "id: shape, type: output_shape, visibility: hidden,")
    (loaded.folder / "spec.yaml").write_text(text)
    report, verdicts = grade(load_spec(loaded.folder), "forward raise")
    assert (verdicts["shape"], verdicts["finite"]) == (Verdict.SKIPPED, Verdict.CRASHED)
    assert "“Finite numbers” could not be run" in report.checks[1].message


def test_the_advice_of_a_spec_follows_that_of_a_check_where_an_answer_was_wrong(loaded: LoadedSpec) -> None:
    text = SPEC.replace("params: {shape: [N, 4]}", "params: {shape: [N, 5]}, hint: Look at fc3.")
    (loaded.folder / "spec.yaml").write_text(text)
    assert grade(load_spec(loaded.folder))[0].checks[1].hint.endswith(" Look at fc3.")
    assert "fc3" not in grade(load_spec(loaded.folder), "forward raise")[0].checks[1].hint
