"""response: how the model's answers follow its inputs: bounded, growing, curved, within a range."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks.base import Array, Check, Context, Params, as_array, failed
from autograder.model import Observation, Outcome, Statistic


class ResponseParams(Params):
    """What must be seen; what is left out is not looked at."""

    inside: tuple[float, float] | None = Field(None, description="Every answer lies in this range, ends included.")
    nonlinear: float | None = Field(
        None,
        gt=0,
        description="The inputs' rows are three equal parts A, B and (A + B) / 2. Answers on the last part must differ "
        "from the mean of the others by this share of their spread: a model without activations fails.",
    )
    growth: tuple[float, float] | None = Field(
        None,
        description="The inputs' rows are two equal parts X and c·X with c large. How much larger the last part's "
        "answers may be, [least, most]: sigmoid and tanh stay small, ReLU grows like c.",
    )


class Response(Check):
    """Compares answers with each other, so that activations show without a word from the student's process."""

    kind: ClassVar[str] = "response"
    title: ClassVar[str] = "How answers follow inputs"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    Params: ClassVar[type[Params]] = ResponseParams

    def judge(self, observation: Observation, _context: Context, params: ResponseParams) -> Outcome:
        """Hold the answers of the first run against each demand."""
        answers = _answers(observation.values.get("outputs"))
        if answers is None:
            return failed("There are no finite answers.", "Return one tensor of finite numbers from forward.")
        measured: list[Statistic] = []
        demands = [
            *_range(answers, params),
            *(_nonlinear(answers, params.nonlinear, measured) if params.nonlinear else []),
            *(_growth(answers, params.growth, measured) if params.growth else []),
        ]
        return outcome_of(demands, "The answers follow the inputs as asked for.", share=False).measured(*measured)


def _answers(given: object) -> Array | None:
    """The first run's answers, None if any is missing, not finite or beyond the reach of float32."""
    found = as_array(given[0]) if type(given) is list and given else None
    return found if found is not None and found.ndim > 0 and (np.abs(found) <= 1e38).all() else None


def _range(answers: Array, params: ResponseParams) -> list[Demand]:
    if params.inside is None:
        return []
    low, high = params.inside
    if ((answers >= low) & (answers <= high)).all():
        return [Demand()]
    return [Demand(f"Some answers lie outside {low:g} to {high:g}.", "Is the last activation the one asked for?")]


def _nonlinear(answers: Array, least: float, measured: list[Statistic]) -> list[Demand]:
    """On midpoints an affine model answers with the mean of its answers at the ends."""
    third = len(answers) // 3
    if not third or len(answers) != 3 * third:
        return [Demand("The answers are not one row for each input.", "Keep the batch axis in forward.")]
    flat = answers.reshape(3, third, -1)
    ends = (flat[0] + flat[1]) / 2
    # Rounding is no activation: answers that hardly differ are held against their own size.
    spread = max(float(np.abs(flat[0] - flat[1]).max()), 1e-4 * float(np.abs(flat).max()), 1e-30)
    gap = float(np.abs(flat[2] / spread - ends / spread).max())
    measured.append(Statistic("nonlinearity", gap, least, "above", "nonlinear"))
    if gap >= least:
        return [Demand()]
    words = "Your model is linear: no activation acts on what passes through it."
    return [Demand(words, "Call the activations in forward, between the layers (and use their results).")]


def _growth(answers: Array, limits: tuple[float, float], measured: list[Statistic]) -> list[Demand]:
    half = len(answers) // 2
    if not half or len(answers) != 2 * half:
        return [Demand("The answers are not one row for each input.", "Keep the batch axis in forward.")]
    before, after = (float(np.abs(part).max()) for part in (answers[:half], answers[half:]))
    times = min(after / max(before, 1e-30), 1e30)
    low, high = limits
    measured.append(Statistic("growth at most", times, high, "below", "growth"))
    measured.append(Statistic("growth at least", times, low, "above", "growth"))
    if not times <= high:
        words = "Very large inputs give very large answers: no activation bounds them (as sigmoid or tanh would)."
        return [Demand(words, "Is ReLU still there where sigmoid or tanh is asked for?")]
    if not times >= low:
        words = "Very large inputs give answers as small as any: an activation bounds them (sigmoid or tanh)."
        return [Demand(words, "Is sigmoid or tanh there where ReLU is asked for?")]
    return [Demand()]
