"""The contract of every check type: whatever a student's process answers, a verdict comes out, never an exception.

Each check type has an example in `tests/checks/contract/<kind>.py`: PARAMS, GOOD (probe → values of an observation that
passes), and, where needed, CONTEXT. `JUDGES_VALUES = False` says that it looks at no number in an array.
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict
from tests.checks.liars import LIARS, PRETENDERS

EXAMPLES = Path(__file__).parent.parent / "checks" / "contract"
WEIRD: list[Any] = [
    None, [], {}, "", "x" * 10_000,
    "‮evil<script>", -1, 10**30, 0.0, math.nan, math.inf, True, [None], [[]], {"a": None},
    np.zeros(0), np.zeros((0, 3)), np.full((6, 3), np.nan), np.full((6, 3), np.inf), np.full((6, 3), 1e300),
    np.zeros((6, 3)), np.zeros((3, 6)), np.zeros((6, 3, 1, 1)), np.zeros(6), np.array(5.0),
    np.zeros((6, 3), dtype=bool),
    np.zeros((6, 1)), np.full((6, 3), 1 / 3), np.zeros((6, 3), dtype=np.int8), np.array(["a"] * 6),
    np.array([object()] * 6), np.zeros((2000, 500), dtype=np.float16), np.full(6, 1e18), np.arange(6) - 3,
    *LIARS,
]  # fmt: skip


@lru_cache
def _example(kind: str) -> ModuleType:
    if not (EXAMPLES / f"{kind}.py").exists():
        pytest.fail(
            f"the check type '{kind}' has no contract example: write tests/checks/contract/{kind}.py with PARAMS and "
            "GOOD (see docs/adding-a-check.md)",
            pytrace=False,
        )
    return importlib.import_module(f"tests.checks.contract.{kind}")


def _good(kind: str, probe: str) -> dict[str, Any]:
    good: dict[str, dict[str, Any]] = _example(kind).GOOD
    if probe not in good:
        pytest.fail(f"GOOD in tests/checks/contract/{kind}.py has no observation of '{probe}'", pytrace=False)
    return good[probe]


def _paths(tree: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from _paths(value, (*here, key))


def _replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The tree with another value there; what is not on the way is shared."""
    if not path:
        return value
    changed = copy.copy(tree)
    changed[path[0]] = _replaced(tree[path[0]], path[1:], value)
    return changed


def _with_arrays(tree: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _with_arrays(value, change) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_with_arrays(value, change) for value in tree]
    return change(tree) if isinstance(tree, np.ndarray) else tree


def _has_numbers(kind: str, probe: str) -> bool:
    """True if the check judges what stands in arrays."""
    found: list[Any] = []
    _with_arrays(_good(kind, probe), found.append)
    return bool(found) and getattr(_example(kind), "JUDGES_VALUES", True)


def _cases() -> list[tuple[str, str]]:
    return [(kind, probe) for kind, check in registry.all_checks().items() for probe in sorted(check.probes)]


def _context(kind: str) -> Context:
    found: Context = getattr(_example(kind), "CONTEXT", Context())
    return found


def _judge(kind: str, probe: str, values: Any, context: Context | None = None) -> Outcome:
    check = registry.all_checks()[kind]
    params = check.Params.model_validate(_example(kind).PARAMS)
    observed = values if isinstance(values, dict) else {"outputs": values}
    return check.judge(Observation(probe, observed), context or _context(kind), params)


def test_every_example_belongs_to_a_check_type() -> None:
    written = {path.stem for path in EXAMPLES.glob("*.py")} - {"__init__"}
    assert written <= set(registry.names()), "rename or remove the examples of check types that are gone"


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_good_observations_pass(kind: str, probe: str) -> None:
    outcome = _judge(kind, probe, _good(kind, probe))
    assert outcome.verdict is Verdict.PASSED, outcome.message


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_bad_observations_get_a_verdict(kind: str, probe: str) -> None:
    good = _good(kind, probe)
    for path in _paths(good):
        for weird in WEIRD:
            outcome = _judge(kind, probe, _replaced(good, path, weird))
            assert outcome.verdict in {Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED}
            assert 0.0 <= outcome.fraction <= 1.0, (path, weird)
            assert (outcome.verdict is Verdict.PASSED) == (outcome.fraction == 1.0)
            assert outcome.message
            assert outcome.hint or outcome.verdict is Verdict.PASSED, (path, outcome.message)
            assert len(outcome.message) < 3000, path


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_bad_observations_beside_it_get_a_verdict(kind: str, probe: str) -> None:
    context = _context(kind)
    for role, beside in context.also.items():
        for path in _paths(beside.values):
            for weird in WEIRD:
                values = _replaced(beside.values, path, weird)
                other = Observation(beside.probe, values if isinstance(values, dict) else {"outputs": values})
                changed = replace(context, also={**context.also, role: other})
                outcome = _judge(kind, probe, _good(kind, probe), changed)
                assert outcome.verdict in {Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED}
                assert outcome.message


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_nothing_passes_on_nothing(kind: str, probe: str) -> None:
    assert _judge(kind, probe, {}).verdict is Verdict.FAILED


@pytest.mark.parametrize(("kind", "probe"), _cases())
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_never_pass(kind: str, probe: str, bad: float) -> None:
    if not _has_numbers(kind, probe):
        return

    def spoil(array: Any) -> Any:
        broken = np.array(array, dtype=np.float64)
        broken.flat[-1] = bad
        return broken

    assert _judge(kind, probe, _with_arrays(_good(kind, probe), spoil)).verdict is Verdict.FAILED


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_what_only_looks_like_an_array_never_passes(kind: str, probe: str) -> None:
    if not _has_numbers(kind, probe):
        return
    for pretender in PRETENDERS:
        values = _with_arrays(_good(kind, probe), lambda _array, instead=pretender: instead)
        assert _judge(kind, probe, values).verdict is Verdict.FAILED


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_judging_repeats_and_leaves_the_observation_alone(kind: str, probe: str) -> None:
    values = copy.deepcopy(_good(kind, probe))
    assert repr(_judge(kind, probe, values)) == repr(_judge(kind, probe, values))
    assert repr(values) == repr(_good(kind, probe))


def test_every_parameter_is_described() -> None:
    for kind, check in registry.all_checks().items():
        for name, field in check.Params.model_fields.items():
            assert field.description, f"{kind}.{name} has no description"
