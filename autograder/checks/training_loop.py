"""training_loop: a student's training function does as its arguments say, with dropout on and in a new order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._values import is_clean, number, rows, whole
from autograder.checks.base import Check, Context, Params, failed
from autograder.model import Observation, Outcome

_EPOCHS = "Does the loop run over range(epochs), and is every pass over the whole training set?"
_BATCHES = "Give the DataLoader the argument: batch_size=batch_size."


class TrainingLoopParams(Params):
    """What the loop must keep to, beside learning rate, batch size and number of epochs."""

    dropout: bool = Field(True, description="Dropout layers, where there are any, are on at every step.")
    shuffled: bool = Field(False, description="Not every step takes the items that follow those of the step before.")
    max_ratio: float = Field(
        0.1, gt=0, lt=1, description="How far weights may move, as a share of how far they move at the usual rate."
    )
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")


class TrainingLoop(Check):
    """The observation trains with a very small `lr` and more than one of `epochs`, `also: {usual: …}` with a usual one.

    Adam and SGD move weights in proportion to the learning rate, so a function that has its own moves them as far
    both times. Steps, dropout and order are the process's own word.
    """

    kind: ClassVar[str] = "training_loop"
    title: ClassVar[str] = "The training function does as it is told"
    probes: ClassVar[frozenset[str]] = frozenset({"moves"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"usual": frozenset({"moves"})}
    Params: ClassVar[type[Params]] = TrainingLoopParams

    def judge(self, observation: Observation, context: Context, params: TrainingLoopParams) -> Outcome:
        """Hold the way of the weights and the count of the steps against what was asked for."""
        loop, asked = observation.values.get("loop"), observation.values.get("asked")
        if not isinstance(loop, Mapping) or not isinstance(asked, Mapping):
            return failed("No training by your function could be seen.", "Does it train the model that it is given?")
        told = is_clean(observation)
        demands = [_steps(loop, asked, told), _rate(observation, context.also["usual"], params)]
        steps, off = (whole(loop.get(key)) for key in ("steps", "dropout_off"))
        if params.dropout:
            words = "Dropout is off while the model is trained." if off != 0 else ""
            demands.append(Demand(words, "Call model.train() before every epoch: model.eval() turns dropout off."))
        if params.shuffled:
            words = "The training set is never shuffled." if _in_order(loop, steps) else ""
            demands.append(Demand(words, "DataLoader(train_set, batch_size=batch_size, shuffle=True)"))
        evidence = {"optimiser steps": steps} if told and steps is not None else {}
        return outcome_of(demands, "The training function does as it is told.", share=params.partial, **evidence)


def _rate(slow: Observation, usual: Observation, params: TrainingLoopParams) -> Demand:
    little, much = _way(slow), _way(usual)
    if not 0 < much < math.inf:
        return Demand("The training function moves no weights.", "Does the optimizer hold this model's parameters?")
    if little <= params.max_ratio * much:
        return Demand()
    return Demand(
        "With a far smaller learning rate the weights move as far as with the usual one.",
        "Give the optimizer the argument lr, not a number: Adam(model.parameters(), lr=lr).",
    )


def _way(observation: Observation) -> float:
    """How far all weights moved together; NaN if one can't be told."""
    return math.hypot(*(number(row.get("change")) for row in rows(observation.values.get("parameters"))))


def _steps(loop: Mapping[str, Any], asked: Mapping[str, Any], told: bool) -> Demand:
    epochs, batches = whole(asked.get("epochs")) or 1, whole(asked.get("batches")) or 1
    wanted = epochs * batches
    found, most, passes = (whole(loop.get(key)) for key in ("steps", "most", "passes"))
    if found is None or wanted in (found, most):  # several optimisers may each take every step
        return Demand() if found is not None else Demand("The training function's steps could not be counted.")
    made = f"it took {found}" if told else "it took more" if found > wanted else "it took fewer"
    words = f"{epochs} epochs of {batches} batches each are {wanted} steps of the optimizer; {made}."
    if not found:
        hint = "Is optimizer.step() called for every batch?"
    elif passes is not None and passes < epochs:
        hint = _EPOCHS
    else:
        hint = _BATCHES if found < wanted else f"{_BATCHES} {_EPOCHS}"
    return Demand(words, hint)


def _in_order(loop: Mapping[str, Any], steps: int | None) -> bool:
    return steps is None or (steps > 1 and whole(loop.get("in_order")) == steps)
