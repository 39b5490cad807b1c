"""The contract of every check type: whatever a student's process answers, a verdict comes out, never an exception."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict

LABELS = np.array([0, 1, 2, 0, 1, 2])
GOOD_LOGITS = np.eye(3)[LABELS] * 4.0
CONTEXT = Context({"labels": LABELS}, ("cat", "dog", "ship"))
PARAMS: dict[str, dict[str, Any]] = {
    "output_shape": {"shape": ["N", 3], "values": "logits"},
    "accuracy": {"targets": "labels", "min": 0.5, "full": 0.9},
    "classification_report": {"targets": "labels", "min_macro_f1": 0.5, "max_class_share": 0.6},
    "loss_curve": {"label": "test", "targets": "labels", "train_label": "test", "train_targets": "labels"},
    "finite": {"label": "test"},
}
GOOD: dict[str, dict[str, Any]] = {
    "resolve": {
        "entries": {"model": {"found": "CNN", "how": "name", "official": "CNN", "kind": "model", "required": True}},
        "names": {"CNN": "model"},
    },
    "forward": {"outputs": [GOOD_LOGITS, GOOD_LOGITS], "single": [GOOD_LOGITS], "rows": 6, "output_type": "Tensor"},
    "predict": {"outputs": GOOD_LOGITS, "rows": 6, "output_type": "Tensor"},
    "gradient_norms": {"loss": 1.1, "parameters": [{"name": "w", "norm": 0.5, "shape": [3]}]},
    "construct": {
        "parameters": [{"name": "w", "shape": [3, 3], "dtype": "float32", "requires_grad": True}],
        "modules": [{"name": "fc", "type": "Linear"}],
    },
    "train": {
        "epochs": [{"epoch": 0, "outputs": {"test": GOOD_LOGITS * 0}}, {"epoch": 1, "outputs": {"test": GOOD_LOGITS}}],
        "result": {"epochs": 1, "history": None, "leftover_gradient": {"left": 1.0, "one_batch": 1.0}},
        "runs": 1,
    },
    "overfit": {"outputs": [GOOD_LOGITS * 0, GOOD_LOGITS], "losses": [1.0, 0.1]},
    "call": {"value": GOOD_LOGITS},
}
WEIRD: list[Any] = [
    None, [], {}, "", "x" * 10_000,
    "‮evil<script>", -1, 10**30, 0.0, math.nan, math.inf, True, [None], [[]], {"a": None},
    np.zeros(0), np.zeros((0, 3)), np.full((6, 3), np.nan), np.full((6, 3), np.inf), np.full((6, 3), 1e300),
    np.zeros((6, 3)), np.zeros((3, 6)), np.zeros((6, 3, 1, 1)), np.zeros(6), np.array(5.0),
    np.zeros((6, 3), dtype=bool),
    np.zeros((6, 1)), np.full((6, 3), 1 / 3), np.zeros((6, 3), dtype=np.int8), np.array(["a"] * 6),
    np.array([object()] * 6), np.zeros((2000, 500), dtype=np.float16), np.full(6, 1e18), np.arange(6) - 3,
]  # fmt: skip


def _paths(tree: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from _paths(value, (*here, key))


def _replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value if isinstance(value, dict) else {"outputs": value}
    changed = copy.deepcopy(tree)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def _cases() -> Iterator[tuple[str, str]]:
    for kind, check in registry.all_checks().items():
        for probe in sorted(check.probes):
            yield kind, probe


def _judge(kind: str, probe: str, values: dict[str, Any]) -> Outcome:
    check = registry.all_checks()[kind]
    params = check.Params.model_validate(PARAMS.get(kind, {}))
    return check.judge(Observation(probe, values), CONTEXT, params)


@pytest.mark.parametrize(("kind", "probe"), list(_cases()))
def test_good_observations_pass(kind: str, probe: str) -> None:
    assert _judge(kind, probe, GOOD[probe]).verdict is Verdict.PASSED


@pytest.mark.parametrize(("kind", "probe"), list(_cases()))
def test_bad_observations_get_a_verdict(kind: str, probe: str) -> None:
    for path in _paths(GOOD[probe]):
        for weird in WEIRD:
            outcome = _judge(kind, probe, _replaced(GOOD[probe], path, weird))
            assert outcome.verdict in {Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED}
            assert 0.0 <= outcome.fraction <= 1.0, (path, weird)
            assert (outcome.verdict is Verdict.PASSED) == (outcome.fraction == 1.0)
            assert outcome.message


@pytest.mark.parametrize(("kind", "probe"), list(_cases()))
def test_nothing_passes_on_nothing(kind: str, probe: str) -> None:
    assert _judge(kind, probe, {}).verdict is Verdict.FAILED


@pytest.mark.parametrize(("kind", "probe"), [c for c in _cases() if c[1] in {"forward", "predict", "train"}])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_never_pass(kind: str, probe: str, bad: float) -> None:
    if kind == "output_shape":
        return  # judges the shape alone; finite is its own check
    broken = GOOD_LOGITS.copy()
    broken[2, 1] = bad
    values = copy.deepcopy(GOOD[probe])
    if probe == "train":
        values["epochs"][-1]["outputs"]["test"] = broken
    elif probe == "predict":
        values["outputs"] = broken
    else:
        values |= {"outputs": [broken, broken], "single": [broken]}
    assert _judge(kind, probe, values).verdict is Verdict.FAILED


@pytest.mark.parametrize(("kind", "probe"), list(_cases()))
def test_judging_repeats_and_leaves_the_observation_alone(kind: str, probe: str) -> None:
    values = copy.deepcopy(GOOD[probe])
    assert repr(_judge(kind, probe, values)) == repr(_judge(kind, probe, values))
    assert repr(values) == repr(GOOD[probe])


def test_every_parameter_is_described() -> None:
    for kind, check in registry.all_checks().items():
        for name, field in check.Params.model_fields.items():
            assert field.description, f"{kind}.{name} has no description"
