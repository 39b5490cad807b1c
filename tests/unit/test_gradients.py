"""Central differences agree with gradients derived by hand, and say what is wrong where there is no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.errors import SpecError
from autograder.specs.gradients import central_differences

DRAW = np.random.default_rng(3)
X, Y, W = DRAW.normal(size=(8, 4)), DRAW.normal(size=8), DRAW.normal(size=4)
LABELS = DRAW.integers(0, 3, size=8)
WEIGHTS, BIAS = DRAW.normal(size=(4, 3)), DRAW.normal(size=3)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cross_entropy(weights: np.ndarray, bias: np.ndarray) -> Any:
    return -np.log(softmax(X @ weights + bias)[np.arange(8), LABELS]).mean()


def cross_entropy_gradients() -> tuple[np.ndarray, np.ndarray]:
    wrong = (softmax(X @ WEIGHTS + BIAS) - np.eye(3)[LABELS]) / 8
    return X.T @ wrong, wrong.sum(axis=0)


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = {
    "a number": (lambda x: x**3, (2.0,), (12.0,)),
    "0-d": (lambda x, y: np.sin(x) * y, (np.array(0.5), np.array(-3.0)), (-3 * np.cos(0.5), np.sin(0.5))),
    "squares": (lambda w: np.mean((X @ w - Y) ** 2), (W,), (2 * X.T @ (X @ W - Y) / 8,)),
    "2-d and 1-d": (cross_entropy, (WEIGHTS, BIAS), cross_entropy_gradients()),
    "3-d": (lambda x: np.tanh(x).sum(), (X.reshape(2, 4, 4),), (1 - np.tanh(X.reshape(2, 4, 4)) ** 2,)),
    "log": (lambda x: np.log(x).sum(), (np.abs(X) + 0.1,), (1 / (np.abs(X) + 0.1),)),
    "large": (lambda x: (x**2).sum(), (1e6 * W,), (2e6 * W,)),
    "float32": (lambda x: (x**2).sum(), (W.astype(np.float32),), (2 * W.astype(np.float32).astype(np.float64),)),
    "empty": (lambda x: x.sum() + 1.0, (np.zeros((0, 3)),), (np.zeros((0, 3)),)),
    "constant": (lambda x: np.float64(3), (W,), (0 * W,)),
    "KL": (
        lambda m, v: 0.5 * (np.exp(v) + m**2 - 1 - v).sum(),
        (W, Y[:4]),
        (W, 0.5 * (np.exp(Y[:4]) - 1)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_they_are_what_was_derived_by_hand(name: str) -> None:
    function, arguments, expected = CASES[name]
    found = central_differences(function, *arguments)
    assert len(found) == len(expected)
    for gradient, right, argument in zip(found, expected, arguments, strict=True):
        assert (gradient.shape, gradient.dtype) == (np.shape(argument), np.float64)
        largest = np.abs(right).max() if np.size(right) else 1.0
        np.testing.assert_allclose(gradient, right, rtol=0, atol=1e-8 * max(largest, 1.0))


def test_a_scale_for_functions_that_bend_over_little() -> None:
    small = np.array([1e-7, 2e-7])
    (gradient,) = central_differences(lambda x: np.log(x).sum(), small, scale=1e-9)
    np.testing.assert_allclose(gradient, 1 / small, rtol=1e-8)


def test_nothing_that_was_given_is_changed() -> None:
    def spoils(x: np.ndarray, y: np.ndarray) -> Any:
        value = (x * y).sum()
        x[:], y[:] = 0, 0
        return value

    x, y = W.copy(), Y[:4].copy()
    by_x, by_y = central_differences(spoils, x, y)
    np.testing.assert_allclose(by_x, y, atol=1e-8)
    np.testing.assert_allclose(by_y, x, atol=1e-8)
    np.testing.assert_array_equal((x, y), (W, Y[:4]))


@pytest.mark.parametrize(
    ("function", "argument", "words", "advice"),
    [
        (lambda x: x, W, "shape (4,)", "Sum or average"),
        (lambda x: x[:1], W, "shape (1,)", "Sum or average"),
        (lambda x: None, W, "returned object", "float64"),
        (lambda x: x.astype(np.float32).sum(), W, "returned float32", "Compute in float64"),
        (lambda x: int(x.sum()), W, "returned int64", "whole numbers have no slope"),
        (lambda x: np.float64("nan"), W, "returned nan near argument 1", "smaller scale"),
        (lambda x: np.float64("inf"), W, "returned inf near argument 1", "smaller scale"),
        (lambda x: x.sum(), np.arange(3), "argument 1 of central_differences holds int64", "astype(np.float64)"),
        (lambda x: x, 3, "holds int64", "lambda w: loss(w, labels)"),
        (lambda x: x.sum(), W > 0, "holds bool", "astype(np.float64)"),
        (lambda x: x.sum().real, W + 1j, "holds complex128", "astype(np.float64)"),
        (lambda x: 1.0, "text", "holds <U4", "astype(np.float64)"),
        (lambda x: x.sum(), np.array([1.0, np.nan]), "holds NaN", "finite"),
    ],
)
def test_where_there_is_no_gradient_it_is_said_what_to_do(
    function: Callable[..., Any], argument: Any, words: str, advice: str
) -> None:
    with pytest.raises(SpecError) as error:
        central_differences(function, argument)
    assert words in error.value.message
    assert advice in error.value.hint


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_is_a_number_above_zero(scale: float) -> None:
    with pytest.raises(SpecError, match="scale is"):
        central_differences(lambda x: x.sum(), W, scale=scale)
