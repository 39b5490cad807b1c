"""The check type parameters: totals, shapes, what trains and what stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograder.model import Outcome, Verdict
from tests.checks.examples import judge

VGG = [((8, 3, 3, 3), False), ((8,), False), ((16, 8, 3, 3), False), ((16,), False), (10, 64), (10,)]


def listed(*shapes: Any) -> list[dict[str, Any]]:
    """Parameters of these shapes; (shape, False) is frozen."""
    made = []
    for i, given in enumerate(shapes):
        sizes, trains = given if given and isinstance(given[0], tuple) else (given, True)
        made.append(
            {
                "name": f"layer{i // 2}.{'weight' if len(sizes) > 1 else 'bias'}",
                "shape": list(sizes),
                "dtype": "float32",
                "requires_grad": trains,
                "count": math.prod(sizes),
                "change": 0.01 if trains else 0.0,
                "norm": 1.0,
            }
        )
    return made


def ask(parameters: list[dict[str, Any]], outputs: Any = None, /, **params: Any) -> Outcome:
    if outputs is None:
        return judge("parameters", "construct", {"parameters": parameters}, **params)
    return judge("parameters", "moves", {"parameters": parameters, "outputs": outputs}, **params)


BEFORE, AFTER = np.zeros((4, 3)), np.ones((4, 3))
HEAD = [{"layer": "linear"}]
FEATURES = [{"layer": "conv"}]


def test_totals_are_exact_and_known_mistakes_are_explained() -> None:
    parameters = listed((3, 4), (3,))
    assert ask(parameters, total=15).verdict is Verdict.PASSED
    wrong = ask(parameters, total=12, known_totals={15: "Leave the bias out."})
    assert (wrong.message, wrong.hint) == ("Expected 12 parameters, found 15.", "Leave the bias out.")
    assert ask(parameters, min_total=15, max_total=15).verdict is Verdict.PASSED
    assert "At most 14" in ask(parameters, max_total=14).message
    assert "At least 16" in ask(parameters, min_total=16).message


def test_the_share_that_trains() -> None:
    parameters = listed(((30, 3), False), (10, 1))
    assert ask(parameters, trainable=10, max_trainable_share=0.1).verdict is Verdict.PASSED
    assert "10% of the parameters train" in ask(parameters, min_trainable_share=0.2).message
    assert "that train, found 10" in ask(parameters, trainable=100).message


def test_shapes_are_taken_once_each_and_null_is_any_size() -> None:
    parameters = listed((3, 4), (3,), (3, 4))
    assert ask(parameters, shapes=[[3, 4], [None, 4]]).verdict is Verdict.PASSED
    assert "(3, 4)" in ask(parameters, shapes=[[3, 4], [3, 4], [3, 4]]).message
    assert "1 parameters too many" in ask(parameters, shapes=[[3, 4], [3, 4]], only_shapes=True).message
    assert "No layer has size 32" in ask(parameters, required_sizes=[32]).message
    assert "has size 4" in ask(parameters, forbidden_sizes=[4]).message


@pytest.mark.parametrize("names", ["given", "lost", "odd"])
def test_frozen_features_and_a_head_that_trains_are_told_by_shape(names: str) -> None:
    right, all_frozen, none_frozen = (
        listed(*VGG),
        listed(*[(s[0], False) if isinstance(s[0], tuple) else (s, False) for s in VGG]),
        listed(*[s[0] if isinstance(s[0], tuple) else s for s in VGG]),
    )
    for parameters in (right, all_frozen, none_frozen):
        for i, row in enumerate(parameters):
            row["name"] = {"given": row["name"], "lost": f"number {i + 1}", "odd": "head"}[names]
    demands = {"moves": HEAD, "frozen": FEATURES}
    assert ask(right, **demands).verdict is Verdict.PASSED
    assert ask(right, [BEFORE, AFTER], **demands).verdict is Verdict.PASSED
    assert "must train, but they are frozen" in ask(all_frozen, [BEFORE, AFTER], **demands).message
    assert "must stay frozen, but training changes" in ask(none_frozen, [BEFORE, AFTER], **demands).message
    assert "requires_grad is True" in ask(none_frozen, **demands).message


def test_a_parameter_that_is_said_to_train_must_move_and_move_the_answers() -> None:
    parameters = listed((10, 64), (10,))
    parameters[1]["change"] = 0.0
    assert "layer0.bias must train, but training" in ask(parameters, [BEFORE, AFTER], moves=HEAD).message
    moved = listed((10, 64), (10,))
    assert ask(moved, [BEFORE, AFTER], moves=HEAD).verdict is Verdict.PASSED
    assert "does not change the model's answers" in ask(moved, [AFTER, AFTER], moves=HEAD).message
    assert ask(moved, [BEFORE, AFTER * np.nan], moves=HEAD).verdict is Verdict.FAILED
    moved[0]["change"] = math.nan
    assert ask(moved, [BEFORE, AFTER], moves=HEAD).verdict is Verdict.FAILED
    assert ask(moved, [BEFORE, AFTER], frozen=HEAD).verdict is Verdict.FAILED


def test_selections_by_name_and_position() -> None:
    parameters = listed(((4, 4), False), ((4,), False), (2, 4), (2,))
    assert ask(parameters, frozen=[{"name": "layer0.*"}], moves=[{"last": 2}]).verdict is Verdict.PASSED
    assert ask(parameters, moves=[{}]).verdict is Verdict.FAILED
    frozen = sorted({tuple(row["shape"]) for row in parameters if not row["requires_grad"]})
    assert ask(parameters, moves=[{"without": frozen}]).verdict is Verdict.PASSED
    missing = ask(parameters, moves=[{"name": "head.*", "kind": "conv"}])
    assert "There is no convolution weight named 'head.*'" in missing.message


def test_a_process_that_saw_hidden_inputs_says_nothing_with_its_totals() -> None:
    parameters = [{**row, "name": f"number {i + 1}"} for i, row in enumerate(listed((735192, 1), (1,)))]
    outcome = judge("parameters", "construct", {"parameters": parameters, "tainted": True}, total=5)
    assert outcome.verdict is Verdict.FAILED
    assert "735" not in repr(outcome)
    assert outcome.message == "Expected 5 parameters, found more."


@pytest.mark.parametrize(("change", "norm", "passes"), [(0.0, 1.0, True), (1e-4, 1.0, True), (0.05, 1.0, False),
                                                        (math.nan, 1.0, False), (0.0, math.nan, False)])  # fmt: skip
def test_rows_of_padding_stay(change: float, norm: float, passes: bool) -> None:
    parameters = listed((64, 8), (3, 8))
    parameters[0] |= {"tail_change": change, "tail_norm": norm}
    outcome = ask(parameters, [BEFORE, AFTER], still_tails=[{"shape": (64, None)}])
    assert (outcome.verdict is Verdict.PASSED) is passes, outcome.message
    assert passes or "mask" in outcome.hint


def test_rows_that_were_not_reported_have_not_stayed() -> None:
    assert ask(listed((64, 8)), [BEFORE, AFTER], still_tails=[{"shape": (64, None)}]).verdict is Verdict.FAILED
    assert "There is no" in ask(listed((64, 8)), [BEFORE, AFTER], still_tails=[{"shape": (63, None)}]).message
