"""The check type schedule: formulas, what is tolerated, and how mistakes are named."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograder.checks.schedule import FORMULAS, ScheduleParams, rates
from autograder.model import Outcome, Verdict
from tests.checks.examples import judge

ASKED: dict[str, Any] = {"base_lr": 1e-3, "steps": 100, "warmup": 10}


def params(formula: str, **changes: Any) -> ScheduleParams:
    return ScheduleParams.model_validate({"formula": formula, **ASKED, **changes})


def said(lrs: Any, formula: str = "linear", **changes: Any) -> Outcome:
    return judge("schedule", "schedule", {"lrs": lrs}, formula=formula, **{**ASKED, **changes})


def test_formulas_at_known_steps() -> None:
    at = {f: rates(f, params(f), 0) for f in FORMULAS}
    assert [at[f][5] for f in FORMULAS] == pytest.approx([5e-4] * 4)
    assert [at[f][10] for f in FORMULAS] == pytest.approx([1e-3] * 4)
    assert at["constant"][55] == pytest.approx(1e-3)
    assert at["linear"][55] == pytest.approx(5e-4)
    assert at["cosine"][55] == pytest.approx(5e-4)
    assert at["cosine"][40] == pytest.approx(1e-3 * (1 + math.cos(math.pi / 3)) / 2)
    assert at["inverse_sqrt"][40] == pytest.approx(5e-4)
    assert rates("linear", params("linear", end=0.1), 1)[-1] == pytest.approx(1e-4)


def test_inverse_square_root_is_the_schedule_of_the_transformer_scaled_to_its_peak() -> None:
    s, w, width = np.arange(1, 101), 10, 512
    vaswani = width**-0.5 * np.minimum(s**-0.5, s * w**-1.5)
    mine = rates("inverse_sqrt", params("inverse_sqrt"), 1)
    assert mine / mine.max() == pytest.approx(vaswani / vaswani.max())


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("first", [0, 1])
def test_right_schedules_pass_in_both_ways_of_counting(formula: str, first: int) -> None:
    found = rates(formula, params(formula), first)  # type: ignore[arg-type]
    assert said(found, formula).verdict is Verdict.PASSED
    assert said(found.astype(np.float32), formula).verdict is Verdict.PASSED
    only_other = said(found, formula, counted_from=[1 - first])
    assert only_other.verdict is not Verdict.PASSED
    assert "off by one" in only_other.hint


@pytest.mark.parametrize(
    ("lrs", "words"),
    [
        (rates("linear", params("linear"), 2), "off by one"),
        (rates("linear", params("linear", warmup=0), 0), "warm-up is missing"),
        (rates("cosine", params("cosine"), 0), "cosine schedule"),
        (rates("linear", params("linear", steps=110), 0)[:100], "wrong length"),
        (rates("linear", params("linear"), 0) * 10, "highest rate must be 0.001"),
        (np.r_[1e-3, rates("linear", params("linear"), 0)[1:]], "Only the first rate is wrong"),
        (1e-3 * np.cumprod(rates("linear", params("linear"), 1) * 1e3), "multiplies the rate of the step before"),
        (np.where(np.arange(100) < 99, rates("linear", params("linear"), 0), 5e-4), "It ends at 0.0005"),
    ],
)
def test_mistakes_are_named(lrs: Any, words: str) -> None:
    outcome = said(lrs)
    assert outcome.verdict is not Verdict.PASSED
    assert words in outcome.hint


def test_a_single_wrong_step_fails() -> None:
    lrs = rates("cosine", params("cosine"), 1)
    lrs[50] += 2e-9
    outcome = said(lrs, "cosine")
    assert outcome.verdict is not Verdict.PASSED
    assert "1 of 100" in outcome.message
    assert "step 50" in outcome.message


def test_half_for_a_right_decay_after_a_wrong_warm_up() -> None:
    lrs = rates("linear", params("linear"), 1)
    lrs[:10] = 1e-3
    assert said(lrs).fraction == 0.5


@pytest.mark.parametrize("lrs", [np.zeros(99), np.full(100, np.nan), np.zeros((100, 1)), None, [0.1] * 100])
def test_what_is_no_schedule_fails(lrs: Any) -> None:
    assert said(lrs).verdict is Verdict.FAILED


def test_both_curves_are_drawn() -> None:
    plot = said(rates("linear", params("linear"), 0)).evidence["plots"][0]
    assert set(plot["series"]) == {"yours", "formula"}
    assert len(plot["x"]) == 100


def test_how_near_the_tolerance_rates_are_is_measured() -> None:
    right = rates("linear", params("linear"), 0)
    for off, verdict, margin in ((0.9e-9, Verdict.PASSED, 0.1), (1.1e-9, Verdict.FAILED, -0.1)):
        outcome = said(right + off)
        assert (outcome.verdict, round(outcome.statistics[0].margin, 4)) == (verdict, margin)


@pytest.mark.parametrize("other", [np.full(100, 1e-3), np.full(100, np.nan), np.zeros(99), None, "rates"])
def test_half_where_only_the_first_group_follows(other: Any) -> None:
    right = rates("linear", params("linear"), 0)
    outcome = judge("schedule", "schedule", {"lrs": right, "others": [right, other]}, formula="linear", **ASKED)
    assert outcome.fraction == 0.5
    assert "Only the first parameter group" in outcome.message
    assert "param_groups" in outcome.hint


def test_groups_that_follow_alike_pass_and_a_wrong_first_group_is_named_first() -> None:
    right = rates("linear", params("linear"), 0)
    both = judge("schedule", "schedule", {"lrs": right, "others": [right]}, formula="linear", **ASKED)
    assert both.verdict is Verdict.PASSED
    shifted = judge("schedule", "schedule", {"lrs": right * 2, "others": [right]}, formula="linear", **ASKED)
    assert "first parameter group" not in shifted.message
