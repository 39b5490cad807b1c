"""The check type response: activations as the answers show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.model import Outcome, Verdict
from tests.checks.examples import Array, judge

DRAW = np.random.default_rng(5)


def ask(values: dict[str, Any], **params: Any) -> Outcome:
    return judge("response", "forward", values, **params)


def network(inputs: Array, activation: Any) -> dict[str, Any]:
    """Answers of a small network with this activation."""
    draw = np.random.default_rng(3)
    answers = activation(inputs @ draw.normal(size=(4, 16)) / 2) @ draw.normal(size=(16, 3)) / 4 + 0.1
    return {"outputs": [answers]}


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


@pytest.mark.parametrize(("activation", "passes"), [(relu, True), (np.tanh, True), (lambda x: x, False)])
def test_a_model_without_activations_is_linear(activation: Any, passes: bool) -> None:
    ends = DRAW.normal(size=(2, 5, 4))
    inputs = np.concatenate([ends[0], ends[1], ends.mean(axis=0)])
    outcome = ask(network(inputs, activation), nonlinear=0.01)
    assert (outcome.verdict is Verdict.PASSED) == passes
    assert passes or "is linear" in outcome.message
    assert outcome.statistics[0].name == "nonlinearity"


@pytest.mark.parametrize(("activation", "bounded"), [(relu, False), (np.tanh, True)])
def test_sigmoid_and_tanh_bound_answers_and_relu_does_not(activation: Any, bounded: bool) -> None:
    inputs = DRAW.normal(size=(5, 4))
    answers = network(np.concatenate([inputs, 1000 * inputs]), activation)
    assert (ask(answers, growth=[0, 20]).verdict is Verdict.PASSED) == bounded
    assert (ask(answers, growth=[100, 1e9]).verdict is Verdict.PASSED) != bounded


def test_answers_inside_a_range() -> None:
    answers = network(DRAW.normal(size=(6, 4)), np.tanh)
    assert ask(answers, inside=[-10, 10]).verdict is Verdict.PASSED
    assert "outside 5 to 6" in ask(answers, inside=[5, 6]).message


def test_a_model_that_answers_zero_however_large_its_inputs_does_not_grow_by_one() -> None:
    assert "as small as any" in ask({"outputs": [np.zeros((4, 10))]}, growth=[0.5, 1.5]).message
