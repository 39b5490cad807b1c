"""causality: a position's output depends on no later position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from autograder.checks._pairs import differences, paired_outputs
from autograder.checks.base import Array, Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome, Statistic


class CausalityParams(Params):
    """Where the inputs were changed."""

    position: int = Field(ge=1, description="First changed position of the inputs; all before it are equal.")
    tolerance: float = Field(1e-4, gt=0, description="Largest difference before it, relative to the largest output.")
    min_change: float = Field(1e-4, gt=0, description="Smallest difference from it on that counts as a change.")


class Causality(Check):
    """Inputs that differ from a position on (`also: {changed: …}`) give outputs (N, L, …) that differ from there on."""

    kind: ClassVar[str] = "causality"
    title: ClassVar[str] = "No look into the future"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"changed": frozenset({"forward"})}
    Params: ClassVar[type[Params]] = CausalityParams

    def judge(self, observation: Observation, context: Context, params: CausalityParams) -> Outcome:
        """Outputs before the position must stay; those at and after it must change."""
        pair = paired_outputs(observation, context, "changed")
        if pair is None or pair[0].ndim < 3 or pair[0].shape[1] <= params.position:
            hint = "Return one row of finite scores for each position: shape (N, L, …)."
            return failed("There are no outputs of each position to compare.", hint)
        gaps = _by_position(*pair)
        before, after = float(gaps[: params.position].max()), float(gaps[params.position :].max())
        found = (
            Statistic("difference before", before, params.tolerance, "below", "tolerance"),
            Statistic("difference from there on", after, params.min_change, "above", "min_change"),
        )
        if not before <= params.tolerance:
            near = float(gaps[: params.position - 1].max(initial=0.0)) <= params.tolerance
            words = "Only the position just before it does: is the input shifted by one?" if near else ""
            return failed(
                f"Outputs depend on later positions. {words}".strip(),
                "Mask attention with a triangle (is_causal=True), use no bidirectional layer, and pad convolutions on "
                "the left only.",
            ).measured(*found)
        if not after >= params.min_change:
            return failed(
                "Outputs do not change with the inputs at their own position or before it.",
                "Does the model use its inputs? Is the triangle of the mask the right way round?",
            ).measured(*found)
        return passed("Outputs depend on their own and earlier positions only.").measured(*found)


def _by_position(one: Array, two: Array) -> Array:
    """(L,) largest difference at each position, relative to the largest output at all."""
    return differences(one.swapaxes(0, 1), two.swapaxes(0, 1))
