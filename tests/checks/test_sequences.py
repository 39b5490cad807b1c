"""The check types for sequence models: padding_invariance, order_sensitivity, causality, on small real networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.model import Observation, Outcome, Verdict
from tests.checks.examples import Array, judge

DRAW = np.random.default_rng(0)
TABLE = DRAW.normal(size=(20, 4))  # embeddings; token 0 is padding
STEP = DRAW.normal(size=(4, 4)) / 2
TOKENS = DRAW.integers(1, 20, size=(6, 5))


def compare(kind: str, role: str, own: Array, other: Array, arrays: Any = None, **params: Any) -> Outcome:
    context = Context(arrays or {}, also={role: Observation("forward", {"outputs": [other]})})
    return judge(kind, "forward", {"outputs": [own]}, context=context, **params)


def recurrent(tokens: Array, *, masked: bool = True) -> Array:
    """The last state of a small recurrent network; masked: padding leaves the state as it was."""
    state = np.zeros((len(tokens), 4))
    for column in tokens.T:
        after = np.tanh(state @ STEP + TABLE[column])
        state = np.where((column == 0)[:, None] & masked, state, after)
    return state


def bag(tokens: Array) -> Array:
    """A mean of embeddings without padding."""
    real = (tokens != 0)[:, :, None]
    return np.asarray((TABLE[tokens] * real).sum(axis=1) / real.sum(axis=1))


LEFT, RIGHT = np.pad(TOKENS, ((0, 0), (3, 0))), np.pad(TOKENS, ((0, 0), (0, 3)))


@pytest.mark.parametrize(("padded", "side"), [(LEFT, "before"), (RIGHT, "after")])
def test_padding_that_enters_the_state_is_seen_with_its_side(padded: Array, side: str) -> None:
    plain = recurrent(TOKENS)
    right = compare("padding_invariance", "plain", recurrent(padded), plain, {"x": padded}, inputs="x")
    assert right.verdict is Verdict.PASSED
    got = recurrent(padded, masked=False)
    wrong = compare("padding_invariance", "plain", got, plain, {"x": padded}, inputs="x")
    assert wrong.message == f"Padding {side} a sequence changes its answer."
    assert "around" in compare("padding_invariance", "plain", got, plain).message


def test_one_side_right_can_be_half_of_the_points() -> None:
    padded = np.concatenate([LEFT, RIGHT])
    plain = np.concatenate([recurrent(TOKENS)] * 2)
    got = np.concatenate([recurrent(LEFT), recurrent(RIGHT, masked=False)])
    outcome = compare("padding_invariance", "plain", got, plain, {"x": padded}, inputs="x", partial=True)
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)
    assert "after" in outcome.message
    both = np.concatenate([recurrent(LEFT, masked=False), recurrent(RIGHT, masked=False)])
    outcome = compare("padding_invariance", "plain", both, plain, {"x": padded}, inputs="x", partial=True)
    assert outcome.verdict is Verdict.FAILED
    assert "before and after" in outcome.message


@pytest.mark.parametrize(("gap", "verdict"), [(0.9e-4, Verdict.PASSED), (1.2e-4, Verdict.FAILED)])
def test_the_tolerance_is_relative_to_the_largest_output(gap: float, verdict: Verdict) -> None:
    plain = recurrent(TOKENS)
    got = plain + gap * float(np.abs(plain).max())
    assert compare("padding_invariance", "plain", got, plain).verdict is verdict


def test_a_constant_answer_is_no_invariance() -> None:
    assert "same scores" in compare("padding_invariance", "plain", np.ones((6, 3)), np.ones((6, 3))).message


def test_order_matters_to_a_recurrent_network_and_not_to_a_bag_of_words() -> None:
    shuffled = TOKENS[:, ::-1]
    right = compare("order_sensitivity", "shuffled", recurrent(TOKENS), recurrent(shuffled))
    wrong = compare("order_sensitivity", "shuffled", bag(TOKENS), bag(shuffled))
    assert right.verdict is Verdict.PASSED
    assert "bag of words" in wrong.message
    half = np.concatenate([recurrent(TOKENS)[:3], bag(TOKENS)[3:]])
    other = np.concatenate([recurrent(shuffled)[:3], bag(shuffled)[3:]])
    assert "changes 50% of the answers" in compare("order_sensitivity", "shuffled", half, other).message
    assert compare("order_sensitivity", "shuffled", half, other, min_share=0.5).verdict is Verdict.PASSED


def test_a_network_that_stops_before_the_last_token_is_told_so() -> None:
    changed = TOKENS.copy()
    changed[:, -1] = changed[:, -1] % 19 + 1
    right = compare("order_sensitivity", "shuffled", recurrent(TOKENS), recurrent(changed), change="last")
    early = recurrent(TOKENS[:, :-1]), recurrent(changed[:, :-1])
    wrong = compare("order_sensitivity", "shuffled", *early, change="last")
    assert right.verdict is Verdict.PASSED
    assert wrong.verdict is Verdict.FAILED
    assert "last token" in wrong.message
    assert "length - 1" in wrong.hint
    assert "bag of words" not in wrong.message


def changed(future: Array, positions: slice) -> Array:
    outputs = future.copy()
    outputs[:, positions] += 0.1
    return outputs


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        (slice(3, None), ""),
        (slice(4, None), ""),
        (slice(2, None), "Only the position just before it"),
        (slice(0, None), "Outputs depend on later positions."),
        (slice(0, 0), "do not change with the inputs"),
    ],
)
def test_only_outputs_from_the_changed_position_on_may_change(positions: slice, words: str) -> None:
    outputs = DRAW.normal(size=(2, 6, 5))
    outcome = compare("causality", "changed", outputs, changed(outputs, positions), position=3)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_causality_needs_an_output_for_each_position() -> None:
    flat = DRAW.normal(size=(2, 6))
    assert "each position" in compare("causality", "changed", flat, flat, position=3).message
    short = DRAW.normal(size=(2, 3, 4))
    assert "each position" in compare("causality", "changed", short, short, position=3).message


@pytest.mark.parametrize("kind", ["padding_invariance", "order_sensitivity", "causality"])
@pytest.mark.parametrize("bad", [np.full((2, 4, 3), np.nan), np.ones((3, 4, 3)), None, "text", np.zeros((0, 4, 3))])
def test_what_stands_beside_is_no_more_trusted(kind: str, bad: Any) -> None:
    role = {"padding_invariance": "plain", "order_sensitivity": "shuffled", "causality": "changed"}[kind]
    params = {"position": 2} if kind == "causality" else {}
    outcome = compare(kind, role, DRAW.normal(size=(2, 4, 3)), bad, **params)
    assert outcome.verdict is Verdict.FAILED
