"""finite: no NaN and no infinity comes out."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._values import is_clean
from autograder.checks.base import Check, Context, LabelName, Params, as_array, failed, passed
from autograder.checks.measures import epoch_outputs
from autograder.model import Observation, Outcome


class FiniteParams(Params):
    """Which outputs to look at."""

    label: LabelName = Field("", description="For a training: which evaluated inputs; empty: none needed.")


class Finite(Check):
    """Every number the model returned is finite."""

    kind: ClassVar[str] = "finite"
    title: ClassVar[str] = "Finite numbers"
    probes: ClassVar[frozenset[str]] = frozenset({"forward", "predict", "train"})
    Params: ClassVar[type[Params]] = FiniteParams

    def judge(self, observation: Observation, _context: Context, params: FiniteParams) -> Outcome:
        """Count what is not finite."""
        values: list[Any] = []
        if observation.probe == "train":
            values = epoch_outputs(observation, params.label)
        else:
            outputs = observation.values.get("outputs")
            values = outputs if isinstance(outputs, list) else [outputs]
        wrong = total = 0
        for value in values:  # one after the other: flags grow eightfold as numbers
            array = as_array(value)
            if array is None:
                total = 0
                break
            wrong, total = wrong + int((~np.isfinite(array)).sum()), total + array.size
        if not total:
            return failed("There is no output to look at.", "Return a tensor of numbers from forward.")
        exactly = is_clean(observation)
        if wrong:
            return failed(
                f"{f'{wrong} of {total}' if exactly else 'Some'} values are NaN or infinite.",
                "Look for a logarithm or division of zero, an exponential of a large number, or a learning rate that "
                "is too high.",
            )
        return passed(f"All {f'{total} ' if exactly else ''}values are finite.")
