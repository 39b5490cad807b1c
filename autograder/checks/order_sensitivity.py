"""order_sensitivity: the order of a sequence matters to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from autograder.checks._pairs import differences, paired_outputs
from autograder.checks.base import Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome, Statistic

_WORDS = {"order": "order of the tokens", "last": "last token"}
_LAST = "Is the state behind the last real token used (step length - 1), not an earlier one?"


class OrderSensitivityParams(Params):
    """What counts as a change, and how often it must happen."""

    min_change: float = Field(
        1e-4, gt=0, description="Smallest difference that counts, relative to the largest output."
    )
    min_share: float = Field(0.8, gt=0, le=1, description="Share of the sequences whose answer must change.")
    change: Literal["order", "last"] = Field(
        "order", description="What is changed: the order, or the last token alone."
    )


class OrderSensitivity(Check):
    """The same sequences in another order, or with another last token (`also: {shuffled: …}`), give other outputs."""

    kind: ClassVar[str] = "order_sensitivity"
    title: ClassVar[str] = "Order matters"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"shuffled": frozenset({"forward"})}
    Params: ClassVar[type[Params]] = OrderSensitivityParams

    def judge(self, observation: Observation, context: Context, params: OrderSensitivityParams) -> Outcome:
        """Count the rows that change."""
        pair = paired_outputs(observation, context, "shuffled")
        if pair is None:
            return failed("There are no outputs to compare.", "Return one row of finite scores for each sequence.")
        share = float((differences(*pair) >= params.min_change).mean())
        found = Statistic("share that changes", share, params.min_share, "above", "min_share")
        if share >= params.min_share:
            return passed(f"Answers change with the {_WORDS[params.change]}.").measured(found)
        if params.change == "last":
            return failed(f"Another last token changes {share:.0%} of the answers, too few.", _LAST).measured(found)
        if share == 0:
            message = "The order of the tokens changes no answer: the model sees a bag of words."
        else:
            message = f"The order of the tokens changes {share:.0%} of the answers, too few."
        hint = (
            "Does the recurrent layer run over the tokens (batch_first?), and is its last state used? A mean of "
            "embeddings knows no order; attention needs positions."
        )
        return failed(message, hint).measured(found)
