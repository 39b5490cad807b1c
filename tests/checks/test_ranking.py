"""The check type ranking: order, ties, excluded items, overlap, several calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.model import Outcome, Verdict
from tests.checks.examples import judge

ITEMS = ["paris", "rome", "oslo", "bern", "riga"]
CONTEXT = Context(facts={"cities": ITEMS, "tied": {"items": ITEMS, "scores": [0.9, 0.5, 0.5, 0.5, 0.1]}})


@dataclass(frozen=True)
class Asked:
    """A case of the data set, as far as this check looks at it."""

    expected: Any
    label: str = ""
    size: float = 0


def said(value: Any, **params: Any) -> Outcome:
    return judge("ranking", "call", {"value": value}, context=CONTEXT, **{"expected": "cities", "k": 3, **params})


@pytest.mark.parametrize(
    ("value", "params", "words"),
    [
        (ITEMS, {}, ""),
        ([("Paris", 0.9), ("rome ", 0.5), ("oslo", 0.4)], {}, ""),
        (["paris", "oslo", "rome"], {}, "another order"),
        (["paris", "oslo", "rome"], {"ordered": False}, ""),
        (["paris", "oslo", "bern"], {}, "67%"),
        (["paris", "oslo", "bern"], {"expected": "tied"}, ""),
        (["paris", "bern", "riga"], {"expected": "tied"}, "of the first 3"),
        (["paris", "rome", "bern"], {"ordered": False, "min_overlap": 0.6}, ""),
        (ITEMS[::-1], {}, "the other way round"),
        (["paris", "rome", "oslo", "lyon"], {"excluded": ["Lyon"]}, "must be left out"),
        (["paris", "paris", "rome"], {}, "twice"),
        (["paris"], {}, "has 1 items"),
        ("paris", {}, "no ranked list"),
        ({"paris": 1.0}, {}, "no ranked list"),
        (np.array([np.nan, 1.0, 2.0]), {}, "no ranked list"),
        (None, {}, "No ranking"),
    ],
)
def test_rankings(value: Any, params: dict[str, Any], words: str) -> None:
    outcome = said(value, **params)
    assert (outcome.verdict is Verdict.PASSED) == (not words)
    assert words in outcome.message


def test_numbers_are_ranked_too() -> None:
    context = Context(facts={"rows": [4, 2, 7]})
    outcome = judge("ranking", "call", {"value": np.array([4, 2, 7])}, context=context, expected="rows", k=3)
    assert outcome.verdict is Verdict.PASSED


def test_several_calls_are_held_against_their_cases() -> None:
    context = Context(cases={"asked": (Asked(["a", "b"], "first"), Asked(["c", "d"], "second"))})
    right, wrong = {"value": ["a", "b"]}, {"error": {"type": "KeyError", "message": ""}}
    values = {"answers": [right, wrong]}
    outcome = judge("ranking", "calls", values, context=context, cases="asked", k=2)
    assert outcome.fraction == 0.5
    assert "second: it raised KeyError" in outcome.message
    short = judge("ranking", "calls", {"answers": [right]}, context=context, cases="asked", k=2)
    assert short.verdict is Verdict.FAILED


def test_the_smallest_wrong_call_is_described() -> None:
    cases = (Asked(["a", "b"], "large", 9), Asked(["c", "d"], "small", 2))
    values = {"answers": [{"value": ["b", "a"]}, {"value": ["d", "c"]}]}
    outcome = judge("ranking", "calls", values, context=Context(cases={"asked": cases}), cases="asked", k=2)
    assert "small: it is the other way round" in outcome.message


def test_how_near_an_overlap_is_to_its_limit_is_measured() -> None:
    near = said(["paris", "rome", "bern"], ordered=False, min_overlap=0.6)
    assert [(s.name, round(s.value, 3), s.param) for s in near.statistics] == [("overlap", 0.667, "min_overlap")]
    assert near.statistics[0].margin < 0.2
    assert said(ITEMS).statistics == ()  # all or nothing
    assert said(["paris"], min_overlap=0.6).statistics == ()
