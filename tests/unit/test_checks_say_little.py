"""What a check says must not carry numbers that a process chose after it had seen hidden inputs.

The same for check types that specs bring themselves is in tests/specs/test_own_checks.py.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import MAX_VALUES, Context, as_array
from autograder.checks.gradient_flow import GradientFlow, GradientFlowParams
from autograder.checks.loss_curve import LossCurve, LossCurveParams
from autograder.checks.output_shape import OutputShape, OutputShapeParams
from autograder.model import Observation, Verdict
from autograder.specs.dataset import Case
from tests.checks.cases import ask
from tests.checks.examples import judge
from tests.checks.saying import MARKED, choosable, said, told
from tests.unit.test_check_contract import _cases, _context, _example, _good, _paths, _replaced

DIGITS = "735192"


@pytest.mark.parametrize(("kind", "probe"), _cases())
def test_no_value_and_no_length_of_a_tainted_process_is_repeated(kind: str, probe: str) -> None:
    check, known = registry.all_checks()[kind], _context(kind)
    context = replace(known, hidden=frozenset([*known.arrays, *known.cases]))
    params = check.Params.model_validate(_example(kind).PARAMS)
    for path in _paths(_good(kind, probe)):
        for marked in MARKED if choosable(path) else ():
            values = _replaced(_good(kind, probe), path, marked)
            observed = {**(values if isinstance(values, dict) else {"outputs": values}), "tainted": True}
            outcome = check.judge(Observation(probe, observed), context, params)
            assert not told(outcome), (path, outcome.message)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *(("allclose", value) for value in (np.zeros((23, 29)), [0.5] * 23, (1, [2] * 23), {"a": [0.0] * 23})),
        *(("gradients_match", value) for value in (np.ones((23, 29)), (np.ones((23, 29)), np.ones(29)))),
    ],
)
@pytest.mark.parametrize("answer", [None, 1.0, [1.0, 2.0], (1, 2, 3), np.ones((3, 31)), {"b": 1}, {"a": [0.0] * 31}])
def test_nothing_tells_the_form_of_a_hidden_answer(kind: str, expected: Any, answer: Any) -> None:
    outcome = ask(kind, [Case((1,), expected=expected)], [answer], hidden=True)
    assert outcome.verdict is not Verdict.PASSED
    assert not re.search("23|29|31", said(outcome)), outcome.message


_ROWS = [{"name": "number 1", "op": "relu", "module": "number 735", "shape": [7351, 92], "norm": 1.0}]
_MODES: dict[str, Any] = {"eval": [np.ones((2, 2))] * 2, "train": [np.ones((2, 2))]}
_STATISTICS = [{"before": np.zeros(2), "after": np.ones(2)}]


@pytest.mark.parametrize(
    ("kind", "probe", "values", "params"),
    [
        ("ranking", "call", {"value": [str(i) for i in range(735)]}, {"k": 800, "expected": "items"}),
        ("layers", "construct", {"parameters": _ROWS * 735}, {}),
        ("layers", "construct", {"parameters": _ROWS * 735}, {"linear": 1}),
        ("architecture", "trace", {"ops": _ROWS * 735}, {"counts": {"relu": 1}}),
        ("architecture", "trace", {"ops": _ROWS * 735}, {"never": ["relu"]}),
        ("architecture", "trace", {"ops": _ROWS * 735}, {"widths": {"relu": [1]}}),
        ("architecture", "trace", {"ops": _ROWS * 735}, {"extras": {"relu": {"p": [0.5]}}}),
        ("architecture", "trace", {"ops": [*_ROWS * 735, {"op": "tanh"}]}, {"pattern": "relu*"}),
        ("parameters", "construct", {"parameters": _ROWS * 736}, {"shapes": [[7351, 92]], "only_shapes": True}),
        ("parameters", "moves", {"parameters": _ROWS * 738}, {"moves": [{"first": 738}]}),
        ("parameters", "construct", {"parameters": [{"shape": [735192] * 3}]}, {"min_total": 1, "max_total": 2}),
        ("layer_behaviour", "behave", {**_MODES, "buffers": _STATISTICS * 147}, {"batch_norms": 80}),
        ("layer_behaviour", "behave", {**_MODES, "dropout": [{}] * 73}, {"dropout": 0.5, "dropouts": 80}),
        ("layer_behaviour", "behave", {**_MODES, "weights": _ROWS * 738}, {"init": {"linear": "xavier"}}),
        ("checkpoint", "checkpoint", {"tensors": _ROWS * 735, "missing": [], "unexpected": []}, {}),
        ("checkpoint", "checkpoint", {"tensors": _ROWS, "missing": ["number 735"] * 738, "unexpected": []}, {}),
        ("gradient_flow", "gradient_norms", {"parameters": _ROWS * 735}, {}),
        ("gradient_flow", "gradient_norms", {"parameters": [{"name": "number 735"}] * 739}, {}),
        ("schedule", "schedule", {"lrs": np.r_[np.full(735, 0.1), 7.35]}, {"steps": 736}),
    ],
)
def test_no_count_and_no_place_of_a_tainted_process_is_told(
    kind: str, probe: str, values: dict[str, Any], params: dict[str, Any]
) -> None:
    params = {"formula": "constant", "base_lr": 0.1, **params} if kind == "schedule" else params
    context = Context(facts={"items": [str(i) for i in range(800)]})
    outcome = judge(kind, probe, {**values, "tainted": True}, context=context, **params)
    assert not re.search(r"73|74[0-9]", said(outcome).replace(",", "").replace("736 learning", "")), outcome.message
    clean = judge(kind, probe, values, context=context, **params)
    assert re.search("73", said(clean).replace(",", "")), clean.message


def test_the_place_of_a_wrong_member_of_a_long_answer_is_not_told() -> None:
    right = tuple({"a": i} for i in range(800))
    answer = [{"a": i if i != 735 else 0} for i in range(800)]
    tainted = ask("allclose", [Case((1,), expected=right)], [answer], tainted=True)
    assert "At […]['a']: the value differs" in tainted.message
    assert "At [735]['a']" in ask("allclose", [Case((1,), expected=right)], [answer]).message


def test_the_form_of_a_shown_answer_is_told() -> None:
    outcome = ask("allclose", [Case((1,), expected=np.zeros((23, 29)))], [np.ones((3, 31))])
    assert "shape (23, 29) was expected, got an array of shape (3, 31)" in outcome.message.lower()
    tainted = ask("allclose", [Case((1,), expected=np.zeros((23, 29)))], [np.ones((3, 31))], tainted=True)
    assert "shape (23, 29) was expected, got an array." in tainted.message.lower()


def test_more_numbers_than_a_frame_of_floats_holds_are_no_array() -> None:
    assert as_array(np.zeros(MAX_VALUES, np.bool_)) is not None
    assert as_array(np.zeros(MAX_VALUES + 1, np.bool_)) is None


def test_gradient_norms_are_drawn_to_one_digit() -> None:
    rows = [{"name": "a", "norm": 735192.0}, {"name": "b", "norm": 1e300}, {"name": "c", "norm": 3.35e-7}]
    seen = Observation("gradient_norms", {"parameters": rows, "tainted": False})
    outcome = GradientFlow().judge(seen, Context(), GradientFlowParams())
    assert outcome.verdict is Verdict.PASSED
    assert outcome.evidence["plots"][0]["values"] == [7e5, 1e6, 3e-7]


def test_losses_and_leftovers_are_named_briefly() -> None:
    labels = np.zeros(4, np.int64)
    params = LossCurveParams(label="test", targets="labels")
    for scale, leftover in ((735192e12, 0.0), (1.0, 735192e200)):
        outputs = [np.tile(np.float64([0, k * scale]), (4, 1)) for k in (1, 2)]
        values = {
            "epochs": [{"outputs": {"test": array}} for array in outputs],
            "result": {"leftover_gradient": {"left": leftover, "one_batch": 1.0}},
        }
        outcome = LossCurve().judge(Observation("train", values), Context({"labels": labels}), params)
        assert outcome.verdict is Verdict.FAILED
        assert DIGITS not in said(outcome)
        assert len(outcome.message) < 200
        series = outcome.evidence["plots"][0]["series"]["validation"]
        assert all(math.isfinite(value) for value in series)


def test_the_slope_of_a_loss_that_a_process_made_up_is_not_told() -> None:
    labels = np.arange(4) % 2
    rows = np.where(np.eye(2)[labels] > 0, 0.0, 1.0)
    guessing = math.log(2)
    outputs = [rows * guessing * size for size in (9000.0, 7351.92, 0.0)]  # logits: the loss is their difference
    values = {"epochs": [{"outputs": {"test": array}} for array in outputs], "tainted": True}
    seen = Observation("train", values)
    outcome = LossCurve().judge(seen, Context({"labels": labels}), LossCurveParams(label="test", targets="labels"))
    assert "shape" in outcome.evidence
    assert "735" not in json.dumps({k: v for k, v in outcome.evidence.items() if k != "plots"})


def test_the_shape_of_a_tensor_without_values_is_not_repeated() -> None:
    empty = Observation("forward", {"outputs": [np.zeros((735192, 0, 735192))], "rows": 2})
    outcome = OutputShape().judge(empty, Context(), OutputShapeParams(shape=("N", 3)))
    assert outcome.verdict is Verdict.FAILED
    assert DIGITS not in said(outcome)


def test_answers_to_hidden_calls_and_of_tainted_processes_are_not_repeated() -> None:
    for hidden, tainted in ((frozenset({"calls"}), True), (frozenset(), True), (frozenset({"calls"}), False)):
        for kind, case in (("allclose", Case((1,), expected=2.5)), ("raises", Case((1,), raises=("ValueError",)))):
            for answer in (735192.0, [735192] * 3, "735192", {"735192": 735192}, np.array([735192.0])):
                values = {"answers": [{"value": answer}], "cases": "calls", "tainted": tainted}
                outcome = judge(kind, "calls", values, context=Context(cases={"calls": (case,)}, hidden=hidden))
                assert outcome.verdict is Verdict.FAILED
                assert DIGITS not in said(outcome)


def test_operations_totals_and_dropout_are_not_repeated_number_by_number() -> None:
    rows = [{"op": "dropout", "p": 0.735192, "module": "", "out": [[735192]]}, {"op": "735192"}]
    outcome = judge("architecture", "trace", {"ops": rows}, extras={"dropout": {"p": 0.5}}, widths={"dropout": [5]})
    behaved = {"eval": [np.ones((2, 2))] * 2, "train": [np.ones((2, 2))], "dropout": [{"zeros": 0.735192}]}
    rates = judge("layer_behaviour", "behave", behaved, dropout=0.5)
    listed = [{"name": "number 1", "shape": [735192, 1], "requires_grad": True}]
    total = judge("parameters", "construct", {"parameters": listed, "tainted": True}, total=3)
    for found in (outcome, rates, total):
        assert found.verdict is Verdict.FAILED
        assert DIGITS not in said(found)
        assert "735,192" not in said(found)
