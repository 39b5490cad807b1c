"""perplexity: exp of the mean cross entropy of the next token, measured on the judge's own targets."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from pydantic import Field

from autograder.checks.base import Array, ArrayName, Check, Context, LabelName, Params, as_array, failed, passed
from autograder.checks.measures import last_outputs
from autograder.model import Observation, Outcome, Statistic


class PerplexityParams(Params):
    """Which targets, and how good."""

    targets: ArrayName = Field(description="The judge's target tokens (N, T), int; target t is what output t predicts.")
    max: float = Field(gt=1, description="The highest perplexity that passes.")
    least: float = Field(1.0, ge=1, description="Below this the model must have seen its targets; 1: not looked at.")
    pad: int | None = Field(None, description="Target token that does not count.")
    label: LabelName = Field("val", description="Evaluated inputs of a training.")


class Perplexity(Check):
    """Outputs (N, T, V): logits, log-probabilities or probabilities for each position."""

    kind: ClassVar[str] = "perplexity"
    title: ClassVar[str] = "Perplexity"
    probes: ClassVar[frozenset[str]] = frozenset({"forward", "train"})
    Params: ClassVar[type[Params]] = PerplexityParams

    def judge(self, observation: Observation, context: Context, params: PerplexityParams) -> Outcome:
        """Measure, and name shifted targets where they explain a bad value."""
        targets = np.asarray(context.arrays[params.targets]).astype(np.int64)
        outputs = as_array(last_outputs(observation, params.label))
        if outputs is not None and outputs.ndim == 2 and len(outputs) == targets.size and targets.ndim == 2:
            outputs = outputs.reshape(*targets.shape, outputs.shape[-1])
        if outputs is None or outputs.ndim != 3 or outputs.shape[:2] != targets.shape:
            swapped = (
                outputs is not None and outputs.ndim == 3 and (outputs.shape[0], outputs.shape[2]) == targets.shape
            )
            hint = "The vocabulary must be the last axis." if swapped else "Return scores for every position."
            return failed(f"Expected scores of shape ({targets.shape[0]}, {targets.shape[1]}, vocabulary).", hint)
        value = perplexity(outputs, targets, params.pad)
        if not math.isfinite(value):
            return failed(
                "The perplexity is NaN or infinite.", "Look for NaN in the outputs, or for a zero probability."
            )
        found = [Statistic("perplexity", value, params.max, "below", "max")]
        if params.least > 1:
            found.append(Statistic("least", value, params.least, "above", "least"))
        evidence = {"perplexity": _short(value), "asked for": f"at most {params.max:g}"}
        if not value >= params.least:
            return failed(
                f"The perplexity is {_short(value)}: lower than anybody can predict this text.",
                "Does the model see the token it has to predict? Mask the future, and shift targets by one.",
                **evidence,
            ).measured(*found)
        if value <= params.max:
            return passed(f"Perplexity {_short(value)} (asked for: at most {params.max:g}).", **evidence).measured(
                *found
            )
        hint = _shift(outputs, targets, params, value) or "Train longer, and look at the loss curve."
        return failed(f"Perplexity {_short(value)}; at most {params.max:g} is asked for.", hint, **evidence).measured(
            *found
        )


def perplexity(outputs: Array, targets: Array, pad: int | None) -> float:
    """exp(mean cross entropy in nats) over targets (N, T) that are not `pad`; outputs (N, T, V). NaN if it can't be."""
    counted = np.ones(targets.shape, bool) if pad is None else targets != pad
    rows, wanted = outputs[counted], targets[counted]
    if not len(rows) or not np.isfinite(rows).all() or wanted.min() < 0 or wanted.max() >= rows.shape[1]:
        return math.nan
    if rows.min() >= 0 and np.abs(rows.sum(axis=1) - 1).max() < 1e-3:
        chosen = np.log(np.clip(rows[np.arange(len(rows)), wanted], 1e-12, None))
    else:
        shifted = rows - rows.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(rows)), wanted] - np.log(np.exp(shifted).sum(axis=1))
    mean = float(-chosen.mean())
    return math.exp(mean) if mean < 700 else math.inf


def _shift(outputs: Array, targets: Array, params: PerplexityParams, value: float) -> str:
    """What to say if the outputs fit the targets of a neighbouring position far better; empty if not."""
    if targets.shape[1] < 3:
        return ""
    same = perplexity(outputs[:, 1:], targets[:, :-1], params.pad)
    later = perplexity(outputs[:, :-1], targets[:, 1:], params.pad)
    if same < 0.5 * value:
        return (
            "Output t predicts the token it has just read: train it on the next one (targets are inputs moved by one)."
        )
    if later < 0.5 * value:
        return "Output t predicts the token after next: the targets are moved by one too many."
    return ""


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{min(value, 1e9):.0e}"
