"""batch_independence: in eval mode a row's answer depends on that row alone, and is the same every time."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from pydantic import Field

from autograder.checks.base import Array, Check, Context, Params, as_array, failed, passed
from autograder.model import Observation, Outcome, Statistic


class BatchIndependenceParams(Params):
    """How equal is equal."""

    tolerance: float = Field(1e-4, gt=0, description="Largest difference, relative to the largest output (at least 1).")


class BatchIndependence(Check):
    """Runs must repeat exactly in eval mode, and a row alone must give what it gave within the batch.

    Needs a forward observation with `repeat: 2` or more and `also_single: true`.
    """

    kind: ClassVar[str] = "batch_independence"
    title: ClassVar[str] = "Each example on its own"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    Params: ClassVar[type[Params]] = BatchIndependenceParams

    def judge(self, observation: Observation, _context: Context, params: BatchIndependenceParams) -> Outcome:
        """Compare repeats with each other, then single rows with the batch."""
        outputs, single = observation.values.get("outputs"), observation.values.get("single")
        runs = outputs if isinstance(outputs, list) else []
        alone = as_array(single[0]) if isinstance(single, list) and single else None
        first = as_array(runs[0]) if runs else None
        if first is None or alone is None or len(runs) < 2 or first.ndim == 0:
            return failed(
                "There are no outputs to compare.", "Return one tensor with a row for each example from forward."
            )
        if not np.isfinite(first).all():
            return failed(
                "The outputs have NaN or infinite values, so they can't be compared.",
                "Look for a logarithm or division of zero, or an exponential of a large number.",
            )
        others = [_excess(first, as_array(other), params.tolerance) for other in (*runs[1:], alone)]
        finite = [value for value in others if math.isfinite(value)]
        outcome = self._compared(first, others)
        return outcome.measured(Statistic.excess(max(finite), "tolerance")) if finite else outcome

    def _compared(self, first: Array, others: list[float]) -> Outcome:
        """others: how far each repeat, and at last the rows alone, are from the first answer; 1 is just allowed."""
        for again in others[:-1]:
            if not again <= 1:
                return failed(
                    "In eval mode the same inputs gave different answers the second time.",
                    "Something random is active in eval mode: use nn.Dropout (or F.dropout with "
                    "training=self.training), and draw no random numbers in forward.",
                )
        if not others[-1] <= 1:
            return failed(
                "An example's scores change with the others in its batch.",
                "Look for a view, reshape, permute or flatten that mixes the batch axis with another one, for a "
                "softmax or mean over dim 0, or for batch norm that still uses batch statistics in eval mode.",
            )
        if len(first) > 1 and np.abs(first - first[:1]).max() == 0:
            return failed(
                "Every example gets exactly the same scores.",
                "The answer does not depend on the input: is the input used, and are there dead layers?",
            )
        return passed("Answers repeat in eval mode and don't depend on the rest of the batch.")


def _excess(one: Array, other: Array | None, tolerance: float) -> float:
    """The largest difference as a multiple of the tolerance; NaN if shapes differ or not all is finite."""
    if other is None or one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return math.nan
    scale = max(1.0, float(np.abs(one).max()))
    return float(np.abs(one - other).max()) / (tolerance * scale)
