"""passes_made: train goes through its data as often as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from autograder.checks.base import Check, Context, LabelName, Params, as_array, failed, passed
from autograder.checks.measures import last_outputs
from autograder.model import Observation, Outcome


class PassesMadeParams(Params):
    """What was asked for."""

    epochs: int = Field(ge=1, description="How many passes `train` was told to make.")
    label: LabelName = Field("public", description="Evaluated inputs whose outputs must be finite after the last pass.")


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
        outputs = as_array(last_outputs(observation, params.label))
        if outputs is None or not np.isfinite(outputs).all():
            return failed("There are no finite outputs after the training.", "Is the learning rate much too high?")
        if type(made) is int and made == params.epochs:
            return passed("train makes as many passes as it is told.")
        seen = made if type(made) is int and 0 <= made < params.epochs else "not all"
        return failed(
            f"train was told to make {params.epochs} passes, {seen} could be seen.",
            "Does the loop run over range(epochs), and is every pass over the whole training set?",
        )
