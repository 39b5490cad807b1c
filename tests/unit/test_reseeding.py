"""Close calls: the sequential test keeps its stated error rates, and costs one run where nothing is close."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from autograder.errors import SpecError
from autograder.model import Outcome, Statistic, Verdict
from autograder.reseeding import Rule, settle
from autograder.specs.loader import load_spec
from tests.unit.test_pipeline import DATA, SPEC

RULE = Rule()


def outcome(value: float, limit: float = 0.5) -> Outcome:
    verdict = Verdict.PASSED if value >= limit else Verdict.FAILED
    return Outcome(verdict, float(value >= limit), f"got {value}").measured(Statistic("value", value, limit))


def play(rule: Rule, q: float, draw: random.Random) -> tuple[bool, int]:
    """One grading of a submission that passes a run with probability q: the verdict, and the runs it took."""
    results: list[bool] = []
    while rule.decide(results) is None:
        results.append(draw.random() < q)
    return bool(rule.decide(results)), len(results)


@pytest.mark.parametrize("rule", [RULE, Rule(max_runs=6, right=0.95, wrong=0.2)], ids=["default", "six runs"])
def test_error_rates_hold_in_simulation_and_by_count(rule: Rule) -> None:
    draw, games = random.Random(1), 20_000
    for q, most_fails, most_passes in ((rule.right, rule.alpha, 1.0), (0.99, 0.001, 1.0), (rule.wrong, 1.0, rule.beta)):
        played = [play(rule, q, draw) for _ in range(games)]
        passes = sum(passed for passed, _ in played) / games
        exact = rule.odds(q)
        assert 1 - exact.passes <= most_fails
        assert exact.passes <= most_passes
        assert passes == pytest.approx(exact.passes, abs=4 * (0.25 / games) ** 0.5)
        assert sum(runs for _, runs in played) / games == pytest.approx(exact.runs, abs=0.1)
        assert max(runs for _, runs in played) <= rule.max_runs


def test_the_old_rule_let_wrong_ones_in() -> None:
    best_of_two, best_of_nine = 1 - 0.7**2, 1 - 0.7**9
    assert RULE.odds(0.3).passes < 0.05 < best_of_two < best_of_nine


def test_a_better_submission_never_has_worse_odds() -> None:
    odds = [RULE.odds(q / 20).passes for q in range(21)]
    assert odds == sorted(odds)
    assert (odds[0], odds[-1]) == (0.0, pytest.approx(1.0))


def test_only_what_is_near_its_limit_is_close() -> None:
    assert [RULE.is_close(outcome(v)) for v in (0.3, 0.4, 0.49, 0.5, 0.6, 0.63, 0.9)] == [
        *(False, True, True),
        *(True, True, False, False),
    ]
    assert not RULE.is_close(outcome(float("nan")))
    assert not RULE.is_close(Outcome(Verdict.FAILED, 0.0, "no statistic"))
    assert Rule(clear_fail=False).is_close(outcome(0.1))
    assert not Rule(clear_fail=False).is_close(outcome(0.9))
    assert not RULE.is_close(outcome(0.55), {"value": 0.01})
    assert RULE.is_close(outcome(0.8), {"value": 0.11})


def test_the_middle_run_is_reported_not_the_best() -> None:
    runs = [outcome(v) for v in (0.51, 0.9, 0.45, 0.6)]
    settled = settle(runs, passed=True)
    assert settled.message == "got 0.6"
    assert settled.evidence == {"runs that decided": "3 of 4 passed"}
    assert settle(runs[:1], passed=True).evidence == {}


def test_a_rule_that_cannot_keep_its_word_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "scripted"
    folder.mkdir()
    (folder / "data.py").write_text(DATA)
    hidden = "  hidden: {probe: forward, inputs: hidden_inputs, repeat: 2"
    (folder / "spec.yaml").write_text(SPEC.replace(hidden, f"{hidden}, reseed: {{max_runs: 3}}"))
    with pytest.raises(SpecError, match=r"spec.yaml:10:\d+: .*a wrong submission would pass") as caught:
        load_spec(folder)
    assert "max_runs" in str(caught.value)
