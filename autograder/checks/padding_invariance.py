"""padding_invariance: padding a sequence changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._pairs import differences, is_constant, paired_outputs
from autograder.checks.base import Array, ArrayName, Check, Context, Params, failed, partial, passed
from autograder.model import Observation, Outcome, Statistic

_SIDES = {"left": "before", "right": "after", "both": "before and after", "": "around"}


class PaddingInvarianceParams(Params):
    """How equal is equal, and where the padding is."""

    tolerance: float = Field(1e-4, gt=0, description="Largest difference, relative to the largest output.")
    inputs: ArrayName = Field("", description="The padded inputs, to tell on which side padding matters.")
    pad: int = Field(0, description="Token id of padding in those inputs.")
    partial: bool = Field(False, description="Half of the points if padding matters on one side only.")


class PaddingInvariance(Check):
    """The same rows with and without padding (`also: {plain: …}`, same number of rows) give the same outputs."""

    kind: ClassVar[str] = "padding_invariance"
    title: ClassVar[str] = "Padding changes nothing"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"plain": frozenset({"forward"})}
    Params: ClassVar[type[Params]] = PaddingInvarianceParams

    def judge(self, observation: Observation, context: Context, params: PaddingInvarianceParams) -> Outcome:
        """Compare row by row; then look which side of padding the wrong rows have."""
        pair = paired_outputs(observation, context, "plain")
        if pair is None:
            return failed("There are no outputs to compare.", "Return one row of finite scores for each sequence.")
        if is_constant(pair[1]):
            return failed("Every sequence gets the same scores.", "Does the answer depend on the tokens at all?")
        gaps = differences(*pair)
        wrong = ~(gaps <= params.tolerance)
        found = Statistic("difference", float(gaps.max()), params.tolerance, "below", "tolerance")
        if not wrong.any():
            return passed("Padding changes no answer.").measured(found)
        sides = _sides(context.arrays.get(params.inputs), len(gaps), params.pad)
        bad = sorted({str(s) for s in sides[wrong]})
        side = bad[0] if len(bad) == 1 else "both"
        message = f"Padding {_SIDES[side if any(bad) else '']} a sequence changes its answer."
        hint = (
            "Take the state at each sequence's last real token (pack_padded_sequence, or index by length), and leave "
            "padding out of means, maxima and attention (a mask)."
        )
        if side == "left":
            hint = (
                "Padding before the tokens reaches the state first: mask it, pack by length, or pad after the tokens."
            )
        right = set(sides[~wrong]) - set(bad) - {""}
        if params.partial and right:
            return partial(0.5, message, hint).measured(found)
        return failed(message, hint).measured(found)


def _sides(inputs: Array | None, count: int, pad: int) -> Array:
    """(N,) for each row: left, right, both, or an empty text where there is no padding or nothing is known."""
    if inputs is None or inputs.ndim < 2 or len(inputs) != count:
        return np.full(count, "", dtype="<U5")
    rows = inputs.reshape(count, inputs.shape[1], -1)[:, :, 0]
    left, right = rows[:, 0] == pad, rows[:, -1] == pad
    return np.where(left & right, "both", np.where(left, "left", np.where(right, "right", "")))
