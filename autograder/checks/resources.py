"""resources: time and memory used. Feedback, unless a spec gives it points."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._values import number
from autograder.checks.base import Check, Context, Params, failed
from autograder.model import Observation, Outcome, Statistic

_WORDS = {
    "seconds": ("time", "s", "Look for loops over single examples that one tensor operation could replace."),
    "cpu_s": ("CPU time", "s", "Look for loops over single examples that one tensor operation could replace."),
    "peak_mb": (
        "memory",
        "MB",
        "Keep no tensors of earlier steps (append loss.item(), not loss).",
    ),
    "gpu_mb": ("GPU memory", "MB", "Keep no tensors of earlier steps (append loss.item(), not loss)."),
}


class ResourcesParams(Params):
    """Limits; without any the check only reports."""

    max_seconds: float | None = Field(None, gt=0, description="Wall time in seconds.")
    max_cpu_s: float | None = Field(None, gt=0, description="CPU time in seconds.")
    max_peak_mb: float | None = Field(None, gt=0, description="Highest memory in MB.")
    max_gpu_mb: float | None = Field(None, gt=0, description="Highest GPU memory in MB.")
    partial: bool = Field(False, description="Points for the share of limits that hold; otherwise all or none.")


class Resources(Check):
    """Time and memory of another observation, measured from outside the process; the card's memory is its own word.

    Feedback: where the task is about it, say `points`.
    """

    kind: ClassVar[str] = "resources"
    title: ClassVar[str] = "Time and memory"
    probes: ClassVar[frozenset[str]] = frozenset({"usage"})
    points: ClassVar[float] = 0.0
    own_word: ClassVar[tuple[str, ...]] = ("max_gpu_mb",)
    Params: ClassVar[type[Params]] = ResourcesParams

    def judge(self, observation: Observation, _context: Context, params: ResourcesParams) -> Outcome:
        """Compare what was used with the limits."""
        used = {key: number(observation.values.get(key)) for key in _WORDS}
        known = {key: value for key, value in used.items() if math.isfinite(value) and value >= 0}
        if not known:
            return failed("Nothing was measured.", "Does your code run to its end?")
        limits = {key: limit for key in _WORDS if (limit := getattr(params, f"max_{key}")) is not None}
        evidence = {_WORDS[key][0]: f"{_round(value)} {_WORDS[key][1]}" for key, value in known.items()}
        said = ", ".join(f"{name} {value}" for name, value in evidence.items())
        if not limits:
            return outcome_of([Demand()], f"Used: {said}.", share=False, **evidence)
        demands = [_held(key, used[key], limit) for key, limit in limits.items()]
        measured = [Statistic(key, used[key], limit, "below", f"max_{key}") for key, limit in limits.items()]
        outcome = outcome_of(demands, f"Used: {said}.", share=params.partial, **evidence)
        return outcome.measured(*measured)


def _held(key: str, value: float, limit: float) -> Demand:
    name, unit, hint = _WORDS[key]
    if value <= limit and value >= 0:
        return Demand()
    found = f"it used {_round(value)} {unit}" if math.isfinite(value) else "it was not measured"
    return Demand(f"At most {limit:g} {unit} of {name} are allowed; {found}.", hint)


def _round(value: float) -> str:
    """Two digits: the same grading must not read differently for a few milliseconds."""
    return f"{float(f'{value:.1e}'):g}"
