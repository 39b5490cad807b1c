"""loss_on_logits: a student's training learns from a mistake it is sure of, as a cross entropy of logits does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from autograder.checks._values import rows
from autograder.checks._weights import weights_of
from autograder.checks.base import Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome


class LossOnLogitsParams(Params):
    """Which layer is looked at, and how far it has to move."""

    classes: int = Field(ge=2, description="Rows of the output layer's weight.")
    min_share: float = Field(
        0.05, gt=0, lt=1, description="How far its weights must move, as a share of how far they move ordinarily."
    )


class LossOnLogits(Check):
    """The observation trains where one score is far ahead of the others, and wrong; `also: {usual: …}` an ordinary one.

    Such a start comes from inputs, or given weights, a hundred million times as large, so that no two scores are near.
    The gradient of a cross entropy of logits z is softmax(z) - y: large there. Of softmax(z) it passes through the
    softmax's Jacobian diag(p) - p pᵀ, which is zero where p is one-hot, so that nothing moves but by weight decay.
    Best in one step: after a second one without Adam there may be no finite number left.
    """

    kind: ClassVar[str] = "loss_on_logits"
    title: ClassVar[str] = "The loss gets logits"
    probes: ClassVar[frozenset[str]] = frozenset({"moves"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"usual": frozenset({"moves"})}
    Params: ClassVar[type[Params]] = LossOnLogitsParams

    def judge(self, observation: Observation, context: Context, params: LossOnLogitsParams) -> Outcome:
        """Compare how far the output layer moved in both trainings."""
        sure, usual = _way(observation, params.classes), _way(context.also["usual"], params.classes)
        if not 0 < usual < math.inf:
            return failed(
                "The training function moves no output layer.",
                f"The last layer has one row for each of {params.classes} classes; the optimizer must hold it.",
            )
        if params.min_share * usual <= sure < math.inf:
            return passed("The training learns from mistakes, also where the model is sure of them.")
        return failed(
            "Where the model is sure of a wrong class, training hardly moves the output layer.",
            "Is there a softmax before the cross entropy? It lets no gradient through there: give the loss the logits.",
        )


def _way(observation: Observation, classes: int) -> float:
    """Root mean square of how far the weights of the output layer moved; NaN if it can't be told."""
    listed = weights_of(rows(observation.values.get("parameters")))
    chosen = [w for w in listed if w.kind == "linear" and w.shape[0] == classes]
    count = sum(w.count for w in chosen)
    return math.hypot(*(w.change for w in chosen)) / math.sqrt(count) if count else math.nan
