"""Arithmetic shared by checks: losses and predictions from raw outputs. Non-finite in, NaN out; never an error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.checks.base import Array, as_array
from autograder.model import Observation


def looks_like_probabilities(outputs: Array) -> bool:
    """True if every row of (N, C) outputs is non-negative and sums to one."""
    rows = outputs.sum(axis=-1)
    return bool(outputs.ndim == 2 and outputs.shape[1] > 1 and outputs.min() >= 0 and np.abs(rows - 1).max() < 1e-3)


def looks_squashed(outputs: Array) -> str:
    """`sigmoid` or `relu` if (N, C) outputs of a fresh model went through one, otherwise nothing.

    A fresh model's scores lie near zero on both sides: a sigmoid brings them near one half, a ReLU half of them to
    exactly zero. Plain scores can lie between 0 and 1 by chance, above all where a fresh model answers every row nearly
    alike: the columns' means are C independent numbers then. So they must lie far nearer to one half than to zero; of
    normal ones with any deviation less than 1 in 1,000 do.
    """
    if outputs.ndim != 2 or outputs.size < 20 or not np.isfinite(outputs).all():
        return ""
    if outputs.min() > 0 and outputs.max() < 1:
        means = outputs.mean(axis=0)
        from_half, from_zero = (max(float(np.square(means - middle).mean()), 1e-12) for middle in (0.5, 0.0))
        nearer = 0.5 * math.log(from_zero / from_half)
        return "sigmoid" if len(means) * nearer > 6 else ""
    return "relu" if outputs.min() == 0 and outputs.max() > 0 else ""


def cross_entropy(outputs: Any, labels: Array) -> float:
    """Mean cross entropy in nats of (N, C) outputs against (N,) labels; NaN if it can't be computed.

    Logits and log-probabilities give the same value (log-softmax is idempotent); rows that are probabilities are
    taken as such.
    """
    rows = matrix(outputs, len(labels))
    if rows is None or not np.isfinite(rows).all() or labels.max(initial=0) >= rows.shape[1]:
        return float("nan")
    if looks_like_probabilities(rows):
        logs = np.log(np.clip(rows, 1e-12, None))
    else:
        shifted = rows - rows.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(labels)), labels].mean())


def matrix(outputs: Any, rows: int) -> Array | None:
    """The outputs as float64 (rows, C) with C ≥ 2, or None if they are anything else."""
    values = as_array(outputs)
    if values is None or values.ndim != 2 or values.shape[0] != rows or values.shape[1] < 2:
        return None
    return values


def predictions(outputs: Any, rows: int) -> Array | None:
    """Predicted labels (rows,) int64: the argmax of (rows, C) scores, or (rows,) whole numbers; None if neither."""
    scores = matrix(outputs, rows)
    if scores is not None:
        return scores.argmax(axis=1) if np.isfinite(scores).all() else None
    values = as_array(outputs)
    if values is None or values.shape not in ((rows,), (rows, 1)) or not np.isfinite(values).all():
        return None
    flat = values.reshape(rows)
    return flat.astype(np.int64) if (flat == np.round(flat)).all() and np.abs(flat).max() < 1e6 else None


def epoch_outputs(observation: Observation, label: str) -> list[Any]:
    """What the model answered on the inputs called `label` after each epoch (index 0: before training)."""
    epochs = observation.values.get("epochs")
    if not isinstance(epochs, list):
        return []
    found = []
    for epoch in epochs:
        outputs = epoch.get("outputs") if isinstance(epoch, Mapping) else None
        found.append(outputs.get(label) if isinstance(outputs, Mapping) else None)
    return found


def last_outputs(observation: Observation, label: str) -> Any:
    """The outputs to judge: a prediction's, or those after the last epoch of a training; None if there are none."""
    if observation.probe == "train":
        every = epoch_outputs(observation, label)
        return every[-1] if len(every) > 1 else None
    outputs = observation.values.get("outputs")
    return outputs[0] if isinstance(outputs, list) and outputs else outputs


def labels_of(arrays: Mapping[str, Array], name: str) -> Array:
    """The judge's labels as (N,) int64. Raises KeyError if the data set lacks them: a fault of the spec."""
    return np.asarray(arrays[name]).reshape(-1).astype(np.int64)
