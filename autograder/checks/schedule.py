"""schedule: a learning rate follows its formula at every single step, in every parameter group."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._values import brief, is_clean
from autograder.checks.base import Array, Check, Context, Params, as_array, failed, partial, passed
from autograder.model import Observation, Outcome, Statistic

Formula = Literal["constant", "linear", "cosine", "inverse_sqrt"]
FORMULAS: tuple[Formula, ...] = ("constant", "linear", "cosine", "inverse_sqrt")
MOST_STEPS = 100_000


class ScheduleParams(Params):
    """The formula, and what it is asked with."""

    formula: Formula = Field(description="constant, linear, cosine or inverse_sqrt; each after the warm-up.")
    base_lr: float = Field(gt=0, description="The highest learning rate, reached at the end of the warm-up.")
    steps: int = Field(ge=2, le=MOST_STEPS, description="Optimiser steps in all.")
    warmup: int = Field(0, ge=0, description="Steps of linear warm-up.")
    end: float = Field(0.0, ge=0, lt=1, description="Where linear and cosine end, as a share of base_lr.")
    counted_from: tuple[Literal[0, 1], ...] = Field(
        (0, 1), min_length=1, description="Accepted first step numbers: counted from 1, the first step already learns."
    )
    tolerance: float = Field(1e-6, gt=0, description="Largest difference, as a share of base_lr.")


def rates(formula: Formula, params: ScheduleParams, first: int) -> Array:
    """The learning rate at step t = 0, 1, …, float64 (steps,), with s = t + first, w = warmup, T = steps.

    Warm-up (s < w): base · s / w. After it, with x = min((s - w) / (T - w), 1):
    constant: base. linear: base · (1 - (1 - end) · x).
    cosine: base · (end + (1 - end) · (1 + cos πx) / 2), Loshchilov and Hutter 2017, SGDR, equation 5, without restarts.
    inverse_sqrt: base · sqrt(max(w, 1) / max(s, 1)), Vaswani et al. 2017, section 5.3, scaled to peak at base at s = w.
    """
    s = np.arange(params.steps, dtype=np.float64) + first
    w = params.warmup
    x = np.clip((s - w) / max(params.steps - w, 1), 0, 1)
    if formula == "constant":
        after = np.ones_like(s)
    elif formula == "linear":
        after = 1 - (1 - params.end) * x
    elif formula == "cosine":
        after = params.end + (1 - params.end) * (1 + np.cos(np.pi * x)) / 2
    else:
        after = np.sqrt(max(w, 1) / np.maximum(s, 1))
    return params.base_lr * np.where(s < w, s / max(w, 1), after)


class Schedule(Check):
    """Every value of every group against the formula; steps may count from 0 or from 1 where the spec allows both."""

    kind: ClassVar[str] = "schedule"
    title: ClassVar[str] = "Learning-rate schedule"
    probes: ClassVar[frozenset[str]] = frozenset({"schedule"})
    Params: ClassVar[type[Params]] = ScheduleParams

    def judge(self, observation: Observation, _context: Context, params: ScheduleParams) -> Outcome:
        """All of it, or half if only the warm-up, only the rest or only another group is wrong."""
        found = as_array(observation.values.get("lrs"))
        if found is None or found.ndim != 1:
            return failed("No learning rates could be read.", "Return a scheduler, or a function from step to rate.")
        told = is_clean(observation)  # after hidden inputs a process could say something with any number
        if len(found) != params.steps:
            count = f"{len(found)}" if told else "Another number of"
            return failed(
                f"{count} learning rates came back, for {params.steps} steps.",
                "Give one rate for every step from 0 on, and leave calling step() to the grader.",
            )
        if not np.isfinite(found).all():
            return failed("A learning rate is NaN or infinite.", "Is there a division by zero at step 0?")
        wanted = [rates(params.formula, params, first) for first in params.counted_from]
        evidence = {"plots": [_plot(found, wanted[0])]} if told else {}
        differences = [np.abs(found - one) for one in wanted]
        limit = params.tolerance * params.base_lr
        measured = Statistic.excess(min(float(d.max()) for d in differences) / limit, "tolerance")
        if any(d.max() <= limit for d in differences):
            if not _follow(observation.values.get("others"), found, limit):
                return partial(
                    0.5,
                    f"Only the first parameter group of the optimizer follows the formula ({_name(params)}).",
                    "An optimizer can have several groups: for group in optimizer.param_groups: group['lr'] = …",
                )
            message = f"All {params.steps} learning rates follow the formula ({_name(params)})."
            return passed(message, **evidence).measured(measured)
        nearest = min(differences, key=lambda d: float(d.mean()))
        wrong = nearest > limit
        message = f"Some of {params.steps} learning rates differ from the formula ({_name(params)})."
        if told:
            message = (
                f"{int(wrong.sum())} of {params.steps} learning rates differ from the formula ({_name(params)}), first "
                f"at step {int(wrong.argmax())} by {brief(float(nearest[wrong.argmax()]))}."
            )
        rise, rest = wrong[: params.warmup], wrong[params.warmup :]
        half = 0 < params.warmup < params.steps and rise.any() != rest.any() and not (rest[:-1].all() and rest.size > 1)
        return partial(0.5 if half else 0.0, message, _cause(found, params, told), **evidence).measured(measured)


def _follow(others: Any, first: Array, limit: float) -> bool:
    """True if the other groups, where there are any, have the rates of the first: all start with the same one."""
    if others is None:
        return True
    rows = [as_array(row) for row in others] if type(others) is list else [None]
    return all(
        row is not None and row.shape == first.shape and bool((np.abs(row - first) <= 2 * limit).all()) for row in rows
    )


def _name(params: ScheduleParams) -> str:
    warm = f", {params.warmup} steps of warm-up" if params.warmup else ""
    return f"{params.formula.replace('_', ' ')}{warm}"


def _cause(found: Array, params: ScheduleParams, told: bool) -> str:
    """The likeliest mistake, by asking which wrong formula gives exactly these values."""
    limit = params.tolerance * params.base_lr

    def same(other: Array) -> bool:
        return bool(np.abs(found - other).max() <= limit)

    every = range(-2, 4)
    if any(same(rates(params.formula, params, first)) for first in every if first not in params.counted_from):
        return "The step is off by one: look where the counting of steps starts, and when scheduler.step() is called."
    plain = params.model_copy(update={"warmup": 0})
    if params.warmup and any(same(rates(params.formula, plain, first)) for first in every):
        return "The warm-up is missing: the rate has to rise from zero to its highest value first."
    for other in FORMULAS:
        if other != params.formula and any(same(rates(other, params, first)) for first in every):
            return f"That is the {other.replace('_', ' ')} schedule."
    for steps in (params.steps + d for d in (-1, 1, params.warmup, -params.warmup) if params.steps + d > params.warmup):
        longer = params.model_copy(update={"steps": steps})
        if any(_starts_alike(found, rates(params.formula, longer, first), limit) for first in every):
            return "The decay has the wrong length: it goes from the end of the warm-up to the last step."
    for first in params.counted_from:
        right = rates(params.formula, params, first)
        if same(params.base_lr * np.cumprod(right / params.base_lr)):
            return "Each step multiplies the rate of the step before: multiply the optimizer's first rate instead."
        if same(np.concatenate([found[:1], right[1:]])):
            return "Only the first rate is wrong: it must be set when the scheduler is made, before any step()."
    scales = found / np.where(found.max() > 0, found.max(), 1)
    if any(np.abs(scales - (r := rates(params.formula, params, f)) / r.max()).max() < 1e-4 for f in every):
        return f"The shape is right, the height is not: the highest rate must be {brief(params.base_lr)}."
    ends = [rates(params.formula, params, first)[-1] for first in params.counted_from]
    if min(abs(found[-1] - end) for end in ends) > 0.01 * params.base_lr:
        own = f"at {brief(float(found[-1]))}" if told else "at another rate"
        return f"It ends {own} where {brief(float(ends[0]))} is asked for."
    return "Compare the two curves: where do they part?"


def _starts_alike(found: Array, other: Array, limit: float) -> bool:
    """Equal over the shorter of the two."""
    length = min(len(found), len(other))
    return bool(np.abs(found[:length] - other[:length]).max() <= limit)


def _plot(found: Array, wanted: Array) -> dict[str, Any]:
    at = np.unique(np.linspace(0, len(found) - 1, min(len(found), 200)).astype(int))

    def series(values: Array) -> list[float | None]:
        return [float(f"{v:.3g}") if np.isfinite(v) else None for v in values[at]]

    return {
        "kind": "loss_curve",
        "title": "Learning rate at each step",
        "series": {"yours": series(found), "formula": series(wanted)},
        "x": [int(i) for i in at],
        "x_label": "step",
        "y_label": "learning rate",
    }
