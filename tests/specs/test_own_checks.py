"""The contract of check types that a spec brings itself, on what its own right solution answers."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import Observation, Outcome, Verdict
from autograder.probing import Prober
from autograder.sandbox import open_sandbox
from autograder.specs.dataset import Case, DataSet
from autograder.specs.loader import OWN_CHECKS, LoadedCheck, load_all
from autograder.specs.solutions import find_solutions
from tests.checks.saying import MARKED, choosable, said, told
from tests.unit.test_check_contract import WEIRD, _paths, _replaced, _with_arrays

SPECS = {name: spec for name, spec in load_all(settings().specs_dir).items() if (spec.folder / OWN_CHECKS).exists()}
MOST_PLACES = 60
OWN = {name: [c for c in spec.checks if not registry.find(c.spec.type)] for name, spec in SPECS.items()}
# Each spec's solution is observed once, in one process.
ENTRIES = [
    pytest.param((name, check.spec.id), marks=pytest.mark.xdist_group(f"own checks of {name}"))
    for name, checks in OWN.items()
    for check in checks
]


@dataclass(frozen=True)
class Given:
    """A check with what a right solution answered, and all that the judge knows."""

    check: LoadedCheck
    observation: Observation
    also: Mapping[str, Observation]
    data: DataSet

    def judge(self, values: Any, also: Mapping[str, Observation] | None = None, *, secret: bool = False) -> Outcome:
        """The outcome if the student's process had answered these values instead. secret: all that it was sent is."""
        observed = _answering(self.observation, values, secret)
        beside = {role: _answering(o, o.values, secret) for role, o in (self.also if also is None else also).items()}
        data = self.data
        hidden = frozenset([*data.arrays, *data.cases]) if secret else data.hidden
        context = Context(data.arrays, data.class_names, data.cases, data.facts, hidden, beside)
        return self.check.check.judge(observed, context, self.check.params_for(data.name))


def _answering(observation: Observation, values: Any, secret: bool) -> Observation:
    given = dict(values) if isinstance(values, Mapping) else {"outputs": values}
    return replace(observation, values=given | ({"tainted": True} if secret else {}))


@cache
def _observed(name: str) -> dict[str, Given]:
    """By check id, what the spec's first right solution answers to the checks of its own."""
    loaded = SPECS[name]
    right = next(s for s in find_solutions(settings().solutions_dir / name) if s.accepted)
    data = loaded.build_data(None, loaded.spec.seed, "standin")
    needed = {o for check in OWN[name] for o in (check.spec.observe, *check.spec.also.values())}
    sandbox = open_sandbox(settings())
    prober = Prober(loaded.spec, unpack(right.filename, right.data), data, sandbox, loaded.spec.seed)
    answers = {
        o: prober.observe(asked, loaded.spec.seed) for o, asked in loaded.spec.observations.items() if o in needed
    }
    prober.close()
    sandbox.close()
    found = {}
    for check in OWN[name]:
        also = {role: answers[o] for role, o in check.spec.also.items()}
        found[check.spec.id] = Given(check, answers[check.spec.observe], also, data)
    return found


@pytest.fixture
def given(entry: tuple[str, str]) -> Given:
    name, check = entry
    return _observed(name)[check]


@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_what_a_right_solution_answers_passes_again_and_again(given: Given) -> None:
    values = copy.deepcopy(given.observation.values)
    outcome = given.judge(dict(values))
    assert outcome.verdict is Verdict.PASSED, outcome.message
    assert repr(given.judge(dict(values))) == repr(outcome)
    assert repr(given.observation.values) == repr(values)


@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_bad_answers_get_a_verdict(given: Given) -> None:
    good = dict(given.observation.values)
    for path in places(good):
        for weird in WEIRD:
            check_outcome(given.judge(_replaced(good, path, weird)), path)
    for role, other in given.also.items():
        for path in places(dict(other.values)):
            for weird in WEIRD:
                values = _replaced(dict(other.values), path, weird)
                odd = replace(other, values=values if isinstance(values, dict) else {"outputs": values})
                check_outcome(given.judge(good, {**given.also, role: odd}), (role, *path))


@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_nothing_of_hidden_inputs_is_told(given: Given) -> None:
    good = dict(given.observation.values)
    for path in filter(choosable, places(good)):
        for marked in (*MARKED, {"error": {"type": "ValueError"}}):
            says_nothing(given.judge(_replaced(good, path, marked), secret=True), path)
    for role, other in given.also.items():
        for path in places(dict(other.values)):
            for marked in MARKED:
                odd = _answering(other, _replaced(dict(other.values), path, marked), True)
                says_nothing(given.judge(good, {**given.also, role: odd}, secret=True), (role, *path))


def places(values: Any) -> list[tuple[Any, ...]]:
    """Where to break an answer: everywhere, or at so many places of a long one, which says the same again and again."""
    paths = list(_paths(values))
    return paths[:: math.ceil(len(paths) / MOST_PLACES)] if paths else []


def says_nothing(outcome: Outcome, path: tuple[Any, ...]) -> None:
    assert not told(outcome), (path, outcome.message)
    assert not re.search(r"\(\d+, ?\d*\)|shape \d", said(outcome)), (path, outcome.message)


@pytest.mark.parametrize("function", ["normalise", "layer"])
@pytest.mark.parametrize("answer", [None, np.zeros((3, 3)), np.zeros((23, 23)), np.full((23, 23), np.nan), "error"])
def test_the_size_of_a_hidden_graph_is_not_told(function: str, answer: Any) -> None:
    given = next(c for c in SPECS["gcn-two-layer"].checks if c.spec.type == "graph_formula")
    arguments = (np.eye(23),) if function == "normalise" else (np.ones((23, 29)), np.eye(23), np.ones((29, 31)))
    row = {"error": {"type": "ValueError"}} if isinstance(answer, str) else {"value": answer}
    seen = Observation("calls", {"answers": [row], "cases": "graphs", "tainted": True})
    params = given.check.Params.model_validate({"function": function})
    for hidden, may_tell in ((frozenset({"graphs"}), False), (frozenset[str](), True)):
        outcome = given.check.judge(seen, Context(cases={"graphs": (Case(arguments),)}, hidden=hidden), params)
        assert outcome.verdict is Verdict.FAILED
        assert bool(re.search("23|29|31", said(outcome))) is may_tell, outcome.message


def check_outcome(outcome: Outcome, path: tuple[Any, ...]) -> None:
    assert outcome.verdict in {Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED}, path
    assert 0.0 <= outcome.fraction <= 1.0, path
    assert (outcome.verdict is Verdict.PASSED) == (outcome.fraction == 1.0), path
    assert 0 < len(outcome.message) < 3000, path


@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_nothing_and_nan_never_pass(given: Given) -> None:
    assert given.judge({}).verdict is Verdict.FAILED
    found: list[Any] = []
    _with_arrays(dict(given.observation.values), found.append)
    if not found:  # numbers and words alone; those were broken one by one above
        return
    for bad in (math.nan, math.inf):

        def spoil(array: Any, bad: float = bad) -> Any:
            broken = np.array(array, dtype=np.float64)
            broken.flat[-1] = bad
            return broken

        assert given.judge(_with_arrays(dict(given.observation.values), spoil)).verdict is Verdict.FAILED


@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_every_parameter_of_an_own_check_is_described(given: Given) -> None:
    check = given.check.check
    assert type(check).__doc__
    for name, field in check.Params.model_fields.items():
        assert field.description, f"{check.kind}.{name} has no description"
