"""The check type attentive_tokens: aggregations, form, named mistakes, and what masking does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.checks._answers import overlap_at, rank_biased_overlap
from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict
from tests.checks.contract.attentive_tokens import CONTEXT, PARAMS, VALUE
from tests.checks.examples import judge


def said(value: Any, context: Context = CONTEXT, **params: Any) -> Outcome:
    return judge("attentive_tokens", "call", {"value": value}, context=context, **{**PARAMS, **params})


def test_rank_biased_overlap_by_hand() -> None:
    assert rank_biased_overlap(["a", "b"], ["a", "b"], 2) == pytest.approx(1)
    assert rank_biased_overlap(["b", "a"], ["a", "b"], 2) == pytest.approx(0.9 / 1.9)
    assert rank_biased_overlap(["x", "y"], ["a", "b"], 2) == 0
    assert overlap_at(["b", "a", "c"], ["a", "b", "x"], 3) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("value", "aggregation"),
    [
        (VALUE, "last layer, CLS row"),
        ({"sad": ["tears", "gloomy", "grey"], "glad": ["joy", "smile", "light"]}, "rollout"),
        ({"SAD": ["Gloomy", "tears", "loss"], "glad": [("sunny", 0.9), ("smile", 0.5), ("joy", 0.2)]}, "last layer"),
        ({0: ["gloomy", "tears", "loss"], 1: ["sunny", "smile", "joy", "light"]}, "last layer"),
    ],
)
def test_every_documented_aggregation_passes(value: Any, aggregation: str) -> None:
    outcome = said(value)
    assert outcome.verdict is Verdict.PASSED, outcome.message
    assert aggregation in outcome.evidence["closest aggregation"]


@pytest.mark.parametrize(
    ("sad", "words"),
    [
        (["[CLS]", "gloomy", "tears"], "Special tokens"),
        (["gloom", "##y", "tears"], "word pieces"),
        (["gloomy", "gloomy", "tears"], "twice"),
        (["gloomy", "tears"], "Fewer than 3"),
        (None, "for sad"),
    ],
)
def test_the_form_comes_first(sad: Any, words: str) -> None:
    outcome = said({"sad": sad, "glad": VALUE["glad"]})
    assert outcome.verdict is Verdict.FAILED
    assert words in outcome.message


def test_a_mistake_that_fits_better_is_named() -> None:
    by_labels = said({"sad": ["the", "a", "of"], "glad": ["in", "on", "at"]})
    rows = said({"sad": ["was", "is", "be"], "glad": ["he", "she", "it"]})
    other = said({"sad": ["x", "y", "z"], "glad": ["u", "v", "w"]})
    assert "grouped by labels" in by_labels.hint
    assert "rows summed" in rows.hint
    assert "It looks like" not in other.hint
    assert {o.verdict for o in (by_labels, rows, other)} == {Verdict.FAILED}


def test_just_above_and_just_below_the_overlap() -> None:
    value = {"sad": ["gloomy", "tears", "x"], "glad": ["sunny", "smile", "y"]}
    overlap = said(value).statistics[0].value
    assert 0.6 < overlap < 1
    assert said(value, min_overlap=overlap - 1e-6).verdict is Verdict.PASSED
    assert said(value, min_overlap=overlap + 1e-6).verdict is Verdict.FAILED


def test_no_expected_token_is_told() -> None:
    outcome = said({"sad": ["x", "y", "z"], "glad": ["u", "v", "w"]})
    told = f"{outcome.message} {outcome.hint} {outcome.evidence}"
    assert not any(token in told for tokens in VALUE.values() for token in tokens)


def test_tokens_that_move_nothing_get_half() -> None:
    facts = {
        **CONTEXT.facts,
        "effects": {c: {t: 0.0 if t in VALUE[c] else 1.0 for t in (*VALUE[c], "x")} for c in VALUE},
    }
    outcome = said(VALUE, replace(CONTEXT, facts=facts))
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)


@pytest.mark.parametrize(
    ("masked", "random", "passes"), [(2.0, 0.1, True), (0.1, 2.0, False), (0.0, 0.0, False), (np.nan, 0.1, False)]
)
def test_masking_the_attentive_token_must_move_the_prediction(masked: float, random: float, passes: bool) -> None:
    plain = np.array([[1.0, -1.0], [0.5, -0.5]])
    moved = {"plain": plain, "masked": plain * (1 - masked), "random": plain * (1 - random)}
    also = {role: Observation("forward", {"outputs": [array]}) for role, array in moved.items()}
    assert (said(VALUE, replace(CONTEXT, also=also)).verdict is Verdict.PASSED) == passes
