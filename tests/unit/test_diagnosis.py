"""The diagnosis of loss curves on recorded trainings (benchmarks/data) and on drawn curves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograder.checks._diagnosis import TRY, WORDS, Shape, diagnose
from benchmarks.diagnosis import STORED, named, read, share_right

RUNS = read(STORED)["runs"]
HELD_OUT = [run for run in RUNS if run["seed"] % 2 == 1]
GUESS = math.log(10)


def test_there_are_enough_recorded_trainings_of_every_shape() -> None:
    assert len(RUNS) >= 200
    assert {run["shape"] for run in HELD_OUT} == {shape.value for shape in Shape}
    assert {run["model"] for run in RUNS} == {"mlp", "cnn", "lstm"}


def test_the_right_shape_is_named_on_seeds_that_were_not_tuned_on() -> None:
    assert share_right(HELD_OUT) >= 0.95


@pytest.mark.parametrize("shape", list(Shape))
def test_no_shape_is_mostly_missed(shape: Shape) -> None:
    mine = [run for run in HELD_OUT if run["shape"] == shape.value]
    assert sum(named(run) == shape.value for run in mine) >= 0.8 * len(mine)


@pytest.mark.parametrize(
    ("training", "validation", "shape"),
    [
        ([GUESS] * 8, [GUESS] * 8, Shape.NOT_LEARNING),
        ([2.3, 3, 5, 9], [2.3, 3, 5, 9], Shape.DIVERGING),
        ([2.3, 1.0, math.nan], [], Shape.NOT_FINITE),
        ([2.3, 1.0, 0.5], [2.3, 1.0, math.inf], Shape.NOT_FINITE),
        ([2.3, 1.0, None], [], Shape.NOT_FINITE),
        ([2.3, 1.2, 0.6, 0.2, 0.1, 0.05], [2.3, 1.4, 1.1, 1.2, 1.5, 1.9], Shape.OVERFITTING),
        ([2.3, 2.2, 2.0, 1.8, 1.6], [], Shape.NOT_CONVERGED),
        ([2.3] * 8 + [2.0, 1.2, 0.7, 0.5, 0.4, 0.38, 0.37, 0.37], [], Shape.SLOW_START),
        ([2.3, 1.5, 1.0, 0.7, 0.5, 0.4, 0.35, 0.33, 0.32, 0.32, 0.32, 0.32], [], Shape.HEALTHY),
        ([2.3, 2.0, 1.7, 1.4] + [1.4] * 8, [], Shape.PLATEAU),
        ([2.3, 0.8, 1.6, 0.7, 1.5, 0.9, 1.6, 0.8, 1.5, 0.7, 1.4], [], Shape.OSCILLATING),
        ([2.3, 1.1, 0.64, 0.63, 0.36, 0.08, 0.15], [2.3, 1.1, 0.65, 0.65, 0.4, 0.14, 0.19], Shape.HEALTHY),
        ([900.0, 40.0, 2.31, 2.30, 2.30], [], Shape.NOT_LEARNING),
    ],
)
def test_plain_cases(training: list[float | None], validation: list[float], shape: Shape) -> None:
    found = diagnose(training, validation, GUESS)
    assert found is not None
    assert found.shape is shape
    assert found.words


def test_overfitting_has_a_turning_point_and_an_extreme() -> None:
    mild = diagnose([2.3, 1.2, 0.6, 0.2, 0.1], [2.3, 1.4, 1.1, 1.3, 1.5], GUESS)
    extreme = diagnose([2.3, 1.2, 0.6, 0.2, 0.1], [2.3, 2.2, 2.6, 3.0, 3.5], GUESS)
    assert mild is not None
    assert extreme is not None
    assert (mild.turning, mild.extreme) == (2, False)
    assert (extreme.turning, extreme.extreme) == (1, True)
    assert "worse than it began" in extreme.words


def test_steps_are_averaged_before_they_are_judged() -> None:
    draw = np.random.default_rng(0)
    falling = 2.3 * np.exp(-np.arange(400) / 60) + 0.3 + draw.normal(0, 0.1, 400)
    flat = GUESS + draw.normal(0, 0.1, 400)
    found = [diagnose(list(curve), (), GUESS) for curve in (falling, flat)]
    assert [f.shape for f in found if f] == [Shape.HEALTHY, Shape.NOT_LEARNING]


def test_without_a_curve_there_is_no_diagnosis() -> None:
    assert diagnose() is None
    assert diagnose([1.0], [2.0]) is None


def test_every_shape_has_words_and_all_but_the_healthy_one_advice() -> None:
    assert set(WORDS) == set(TRY) == set(Shape)
    assert [shape for shape in Shape if not TRY[shape]] == [Shape.HEALTHY]
