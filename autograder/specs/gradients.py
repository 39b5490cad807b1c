"""Gradients for data builders: what a case of `gradients_match` expects, without deriving it by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.errors import SpecError
from autograder.specs.dataset import Array

# The rounding error of a difference falls with the step and its own error rises with the step's square; see below.
_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # 6.1e-6


def central_differences(function: Callable[..., Any], *arguments: Any, scale: float = 1.0) -> tuple[Array, ...]:
    """The gradient of a function with respect to each of its arguments, as a tuple of float64 arrays.

    function: takes the arguments as float64 arrays and returns one float64 number; what is not differentiated, such as
    labels, it holds itself. arguments: arrays (or numbers) of floats of any shape, also 0-d; each gradient has the
    shape of its argument. scale: the change of a value over which the function bends, where values are about zero.

    Each value x is moved by h = ε^⅓ · max(|x|, scale) both ways: (f(x + h) - f(x - h)) / 2h, which costs two calls a
    value and is right to about nine digits where f bends over max(|x|, scale) (Press et al., Numerical Recipes, 3rd
    edition, section 5.7). Where f has a kink within h, as relu at 0, the result lies between its two slopes.

    Raises SpecError for arguments that are no floats, and for results that are not one finite float64 number.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise SpecError(f"scale is {scale}", "Give a number above 0, by default 1.")
    points = [_point(value, number) for number, value in enumerate(arguments, start=1)]
    gradients = []
    for number, point in enumerate(points):
        gradient = np.empty_like(point)
        for place in np.ndindex(point.shape):
            step = _STEP * max(abs(float(point[place])), scale)
            above, below = (_moved(point, place, change) for change in (step, -step))
            # What lies between the two once they are rounded, which is not always 2h.
            width = float(above[place]) - float(below[place])
            rise = _value(function, points, number, above) - _value(function, points, number, below)
            gradient[place] = rise / width
        gradients.append(gradient)
    return tuple(gradients)


def _point(value: Any, number: int) -> Array:
    """An argument as a float64 array of its own."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise SpecError(
            f"argument {number} of central_differences holds {array.dtype}, no floats",
            "Give x.astype(np.float64); let the function itself hold what is fixed: lambda w: loss(w, labels).",
        )
    if not np.isfinite(array).all():
        raise SpecError(
            f"argument {number} of central_differences holds NaN or an infinite value",
            "A gradient is taken at finite values: look at how the argument is drawn.",
        )
    return np.array(array, dtype=np.float64)


def _moved(point: Array, place: tuple[int, ...], change: float) -> Array:
    moved = point.copy()
    moved[place] += change
    return moved


def _value(function: Callable[..., Any], points: list[Array], number: int, moved: Array) -> float:
    """The function where one argument was moved. It gets copies, so that it may write into what it is given."""
    result = function(*(moved if i == number else point.copy() for i, point in enumerate(points)))
    array = np.asarray(result)
    if array.shape != ():
        raise SpecError(
            f"the function of central_differences returned an array of shape {array.shape}, no single number",
            "Sum or average what it returns; for a Jacobian ask for each entry: lambda x: f(x)[0].",
        )
    if array.dtype != np.float64:
        raise SpecError(
            f"the function of central_differences returned {array.dtype}, no float64",
            "Compute in float64 throughout: the steps are too small for float32, and whole numbers have no slope.",
        )
    if not np.isfinite(array):
        raise SpecError(
            f"the function of central_differences returned {float(array)} near argument {number + 1}",
            "Is it defined on both sides of every value? Draw values inside, or give a smaller scale.",
        )
    return float(array)
