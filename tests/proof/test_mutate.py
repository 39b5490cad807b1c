"""Mutants of a small solution, graded for real: caught by the right check, dead code left out, survivors shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from autograder.cli import app
from autograder.proof.mutation.run import Campaign, Fate, Judged, Listed, Score, as_json, idle, score
from autograder.proof.pool import Pool
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution
from tests.conftest import SPECS
from tests.proof.conftest import SOLUTIONS

WIDER = Listed(because="how much is dropped is left open", was="self.drop = nn.Dropout(0.1)", operator="constant")


def by_line(judged: list[Judged]) -> dict[tuple[str, str], Judged]:
    return {j.mutant.line: j for j in judged}


def test_each_mutant_gets_its_fate(
    tiny: LoadedSpec, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    seen: list[Judged] = []
    campaign = Campaign(tiny, data, Pool([sandbox]), [WIDER], on_judged=seen.append)
    judged = campaign.run([solutions["accepted/reference"]])
    lines = by_line(judged)
    no_step = lines["optimizer.step()", "pass"]
    assert (no_step.fate, no_step.check, no_step.how) == (Fate.KILLED, "accuracy", "failed")
    always = lines["return self.out(self.drop(x))", "return self.out(torch.nn.functional.dropout(x, 0.5, True))"]
    assert (always.fate, always.check) == (Fate.KILLED, "alone")
    assert lines["return x.sum(1) + 3", "return x.sum(1) + 4"].fate is Fate.UNREACHABLE
    assert lines["self.out = nn.Linear(4, 3)", "self.out = nn.Linear(4, 4)"].fate is Fate.SURVIVED
    assert lines["def train(model, train_set, epochs=3, batch_size=16, lr=0.05):",
                 "def train(model, train_set, epochs=4, batch_size=16, lr=0.05):"].fate is Fate.SAME  # fmt: skip
    assert lines["self.drop = nn.Dropout(0.1)", "self.drop = nn.Dropout(0.2)"].fate is Fate.LISTED
    gone = Listed(was="self.drop = nn.Dropout(0.9)", because="it was there once")
    assert idle([WIDER, gone], judged) == [gone]
    found = score(judged)
    assert sum(found.counts.values()) == len(judged)
    assert found.strict is not None
    assert found.score is not None
    assert 0.4 < found.strict < found.score < 0.95
    assert not found.passes
    written = as_json(tiny, judged)
    assert written["survivors"]
    assert written["killers"]["accuracy"] >= 5
    assert {row["because"] for row in written["listed"]} == {WIDER.because}


def test_a_spent_budget_runs_no_more(
    tiny: LoadedSpec, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    judged = Campaign(tiny, data, Pool([sandbox]), budget_s=-1).run([solutions["accepted/reference"]])
    assert {j.fate for j in judged} == {Fate.NOT_RUN, Fate.UNREACHABLE}
    assert score(judged).score is None
    assert not score(judged).passes


def test_the_command_fails_where_no_mutant_was_judged(tmp_path: Path, configure: Callable[..., None]) -> None:
    configure(specs_dir=SPECS, solutions_dir=SOLUTIONS)
    out = tmp_path / "found.json"
    done = CliRunner().invoke(app, ["spec", "mutate", "tiny-training", "--budget", "0", "--json", str(out)])
    assert done.exit_code == 1
    assert "no mutant was judged, so nothing is proven" in done.output
    assert "a random sample: 0 of" in done.output
    assert json.loads(out.read_text())["score"] is None


def test_a_sample_can_pass_the_gate_and_is_called_one() -> None:
    found = Score({Fate.KILLED: 19, Fate.SURVIVED: 1, Fate.SAME: 2, Fate.NOT_RUN: 8, Fate.UNREACHABLE: 5})
    assert found.passes
    assert found.sample.startswith("a random sample: 22 of 30 mutants were run")
    assert not Score({Fate.KILLED: 18, Fate.SURVIVED: 2}).passes
    assert not Score({Fate.KILLED: 18}).sample
