"""Outputs of a model on two sets of inputs whose rows belong together, from an observation and one beside it."""

from __future__ import annotations

import numpy as np

from autograder.checks.base import Array, Context, as_array
from autograder.checks.measures import last_outputs
from autograder.model import Observation


def paired_outputs(observation: Observation, context: Context, role: str) -> tuple[Array, Array] | None:
    """(own outputs, the other's) as float64 with as many rows, all finite; None if they are anything else."""
    other = context.also.get(role)
    if other is None:
        return None
    one, two = as_array(last_outputs(observation, "")), as_array(last_outputs(other, ""))
    if one is None or two is None or one.ndim < 2 or one.shape != two.shape:
        return None
    return (one, two) if (np.abs(one) <= 1e38).all() and (np.abs(two) <= 1e38).all() else None


def differences(one: Array, two: Array) -> Array:
    """(N,) largest difference of each row, relative to the largest output at all."""
    scale = max(float(np.abs(one).max()), float(np.abs(two).max()), 1e-30)
    return np.asarray(np.abs(one / scale - two / scale).reshape(len(one), -1).max(axis=1))


def is_constant(outputs: Array) -> bool:
    """True if every row of several is the same: then nothing can be told from rows that agree."""
    return len(outputs) > 1 and float(differences(outputs, np.repeat(outputs[:1], len(outputs), axis=0)).max()) <= 1e-7
