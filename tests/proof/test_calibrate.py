"""Measured thresholds: the bound holds where it should, specs refer to it, and a change makes it stale."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from autograder.checks.accuracy import AccuracyParams
from autograder.cli import app
from autograder.errors import SpecError
from autograder.model import Lane, Statistic
from autograder.proof.calibrate import (
    Run,
    at_most,
    calibration,
    false_fails,
    one_run,
    rounded_down,
    runs,
    runs_needed,
    save,
    stale,
    tolerance_bound,
)
from autograder.proof.picture import draw
from autograder.proof.pool import Pool
from autograder.sandbox.base import Sandbox
from autograder.specs.calibration import Calibrated, path_of, read
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import Solution
from tests.conftest import SPECS, Configure
from tests.proof.conftest import SOLUTIONS


def test_the_bound_holds_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0)
    bounds = [tolerance_bound(draws.normal(size=30)) for _ in range(4000)]
    one_percent = -2.3263
    assert np.mean([b <= one_percent for b in bounds]) == pytest.approx(0.95, abs=0.015)


def test_the_bound_is_never_tighter_than_what_was_seen() -> None:
    seen = np.array([0.1, *[0.9] * 200])  # one seed in two hundred went wrong
    assert tolerance_bound(seen) <= 0.1


def measured(values: list[float], of: int = 0, limit: float = 0.5, seeds: int = 1) -> list[Run]:
    found = [Statistic.share("accuracy", value, limit, of=of) for value in values * seeds]
    return [Run("accepted/reference", i, {"check.accuracy": one}, {"check": True}) for i, one in enumerate(found)]


def from_runs(tiny: LoadedSpec, data: DataSet, found: list[Run], false_fail: float = 0.01) -> Calibrated:
    return calibration(tiny, data, [], len(found), found, "", false_fail).statistics["check.accuracy"]


def test_values_that_never_differ_leave_room_for_some_wrong_answers(tiny: LoadedSpec, data: DataSet) -> None:
    few = from_runs(tiny, data, measured([1.0] * 5, of=150))
    assert (few.threshold, few.assumes) == (0.961, "spread")
    assert few.threshold < from_runs(tiny, data, measured([1.0] * 30, of=150)).threshold < 1 - 2 / 150
    uncounted = from_runs(tiny, data, measured([1.0] * 5))
    assert uncounted.threshold < 1 - 2 / 150
    assert (uncounted.threshold, uncounted.assumes) == (0.942, "spread")


def test_a_threshold_says_what_it_takes_on_trust(tiny: LoadedSpec, data: DataSet) -> None:
    assert from_runs(tiny, data, measured([0.5, 0.6, 0.7, 0.8, 0.9], of=10)).assumes == "normal"
    assert from_runs(tiny, data, measured([0.5, 0.9, 1.0, 1.0, 1.0], of=10)).assumes == "spread"  # most can't be better
    assert runs_needed(0.01) == 299
    enough = from_runs(tiny, data, measured([0.9, 0.95, 0.99], of=100, seeds=100))
    assert (enough.assumes, enough.threshold < 0.9) == ("nothing", True)


def test_another_false_fail_rate_gives_another_limit(tiny: LoadedSpec, data: DataSet) -> None:
    found = measured([0.8, 0.82, 0.84, 0.86, 0.88], of=100)
    assert from_runs(tiny, data, found, 0.1).threshold > from_runs(tiny, data, found).threshold


def test_the_command_takes_a_rate_and_says_what_the_runs_do_not_show(copied: Path, configure: Configure) -> None:
    configure(specs_dir=copied.parent, solutions_dir=SOLUTIONS)
    asked = ["spec", "calibrate", "tiny-training", "--seeds", "5", "--only", "reference", "--jobs", "1", "--false-fail"]
    done = CliRunner().invoke(app, [*asked, "0.05"])
    assert "5 runs of a solution by themselves show at most 45.1%; --seeds 59 would show 5%" in done.output
    made = read(copied, "standin", Lane.CPU)
    assert made is not None
    assert made.false_fail == 0.05
    assert made.statistics["accuracy.accuracy"].assumes in ("normal", "spread")
    for outside in ("0", "0.5", "nan"):
        refused = CliRunner().invoke(app, [*asked, outside])
        assert (refused.exit_code, "between 0 and 0.5" in refused.output) == (2, True)


def test_a_calibration_written_before_that_is_still_read() -> None:
    old = {"direction": "above", "threshold": 0.5, "solutions": {}}
    assert Calibrated.model_validate(old).assumes == "normal"


@pytest.mark.parametrize(
    ("value", "down"), [(0.91578, 0.915), (-0.91578, -0.916), (1234.0, 1230.0), (0.5, 0.5), (0, 0)]
)
def test_thresholds_are_rounded_to_the_safe_side(value: float, down: float) -> None:
    assert rounded_down(value) == down


def test_a_share_of_nothing_still_has_an_upper_bound() -> None:
    assert at_most(0, 299) == pytest.approx(0.01, abs=1e-4)  # the rule of three
    assert at_most(3, 3) == 1.0


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    path = tmp_path / "tiny-training" / "spec.yaml"
    path.write_text(path.read_text().replace("min: 0.6", "min: {calibrated: accuracy.accuracy}"))
    return path.parent


def test_a_calibrated_threshold_from_file_to_check(
    copied: Path, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox, configure: Configure
) -> None:
    with pytest.raises(SpecError, match=r"spec.yaml:\d+.*calibrated threshold") as caught:
        load_spec(copied)
    assert "spec calibrate tiny-training" in str(caught.value.hint)
    loaded = load_spec(copied, calibrating=True)
    right, pool = [solutions["accepted/reference"]], Pool([sandbox])
    found = runs(loaded, data, right, 6, pool)
    assert [run.seed for run in found] == list(range(6))
    made = calibration(loaded, data, right, 6, found, "runtime 1")
    values = made.statistics["accuracy.accuracy"].solutions["accepted/reference"].values
    assert len(set(values)) > 1  # the seed matters
    threshold = made.statistics["accuracy.accuracy"].threshold
    assert 0.6 < threshold < min(values)
    save(path_of(copied, data.name, loaded.spec.lane), made, draw(made))
    ready = load_spec(copied)
    params = ready.checks[-1].params_for("standin")
    assert isinstance(params, AccuracyParams)
    assert params.min == threshold
    assert ready.checks[-1].calibrated == {"min"}
    assert ready.digest != loaded.digest
    assert stale(ready, data, right, "runtime 1") == []
    configure(specs_dir=copied.parent, solutions_dir=SOLUTIONS)
    shown = CliRunner().invoke(app, ["spec", "show", "tiny-training"]).output
    assert "Calibrated on standin, lane cpu: 6 seeds, 1% false fail; stale: runtime changed since" in shown
    assert "runtime" in stale(ready, data, right, "runtime 2")[0]
    assert "solutions" in stale(ready, data, [replace(right[0], data=b"")], "runtime 1")[0]
    other = made.model_copy(update={"digests": {**made.digests, "code": "0" * 16}})
    save(path_of(copied, data.name, loaded.spec.lane), other, draw(other))
    assert "is stale: code changed" in stale(ready, data, right, "runtime 1")[0]
    later = [one_run(ready, data, right[0], seed, pool) for seed in range(10, 14)]
    assert false_fails(later, "accuracy") == (0, 4)


def test_a_number_may_stand_in_until_there_is_a_calibration(copied: Path) -> None:
    path = copied / "spec.yaml"
    path.write_text(path.read_text().replace("{calibrated: accuracy.accuracy}", "{calibrated: a.b, else: 0.4}"))
    params = load_spec(copied).checks[-1].params_for("standin")
    assert isinstance(params, AccuracyParams)
    assert params.min == 0.4


def test_a_spec_that_measures_nothing_says_so(tiny: LoadedSpec, data: DataSet, solutions: dict[str, Solution]) -> None:
    with pytest.raises(SpecError, match="measures anything"):
        calibration(tiny, data, list(solutions.values()), 5, [], "")
