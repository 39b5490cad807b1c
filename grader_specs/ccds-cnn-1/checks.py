"""passes_made: train goes through its data as often as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from autograder.checks.base import Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome


class PassesMadeParams(Params):
    """What was asked for."""

    epochs: int = Field(ge=1, description="How many passes `train` was told to make.")


class PassesMade(Check):
    """As many epochs as asked for were seen; passes where only the training as a whole can be seen."""

    kind: ClassVar[str] = "passes_made"
    title: ClassVar[str] = "As many passes as asked for"
    probes: ClassVar[frozenset[str]] = frozenset({"train"})
    own_word: ClassVar[bool] = True
    Params: ClassVar[type[Params]] = PassesMadeParams

    def judge(self, observation: Observation, _context: Context, params: PassesMadeParams) -> Outcome:
        """Compare the number of the last epoch that was seen with what was asked for."""
        result = observation.values.get("result")
        made = result.get("epochs") if isinstance(result, Mapping) else None
        if type(made) is int and made == params.epochs:
            return passed("train makes as many passes as it is told.")
        seen = made if type(made) is int and 0 <= made < params.epochs else "not all"
        return failed(
            f"train was told to make {params.epochs} passes, {seen} could be seen.",
            "Does the loop run over range(epochs), and is every pass over the whole training set?",
        )
