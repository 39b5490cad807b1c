"""A check of this task alone: all biases start at zero."""

from typing import ClassVar

import numpy as np

from autograder.checks._values import number, rows, text
from autograder.checks.base import Check, Params, as_array, failed, passed

MOST = 1e-6


class ZeroBiases(Check):
    """Every parameter called bias starts at zero. Layers without a bias are fine. Reported, not measured."""

    kind: ClassVar[str] = "zero_biases"
    title: ClassVar[str] = "Biases start at zero"
    probes: ClassVar[frozenset[str]] = frozenset({"behave"})
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation, _context, _params):
        """Look at the largest absolute value of each; NaN is not zero."""
        weights = rows(observation.values.get("weights"))
        if not weights:
            return failed("The model has no parameters.", "Create the layers in __init__ as attributes of the model.")
        answers = [observation.values.get(mode) for mode in ("eval", "train")]
        if not all(isinstance(passes, list) and all(map(_finite, passes)) for passes in answers):
            return failed("The model answers with NaN or infinite numbers.", "Look for a division by zero.")
        biases = [row for row in weights if text(row.get("name")).endswith("bias")]
        wrong = [row for row in biases if not number(row.get("max")) <= MOST]
        if wrong:
            return failed(
                f"{len(wrong)} of {len(biases)} biases do not start at zero.",
                "Call nn.init.zeros_ on the bias of each convolution and each linear layer, in the same loop over "
                "self.modules() that initialises the weights.",
            )
        return passed(f"All {len(biases)} biases start at zero.")


def _finite(value):
    """True for an array or tree of finite numbers."""
    array = as_array(value)
    return array is not None and bool(np.isfinite(array).all())
