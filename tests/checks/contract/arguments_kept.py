"""Contract example of the check type arguments_kept."""

import numpy as np

from autograder.checks.base import Context
from autograder.specs.dataset import Case

PARAMS: dict[str, object] = {}
CONTEXT = Context(cases={"pairs": (Case(([2, 1], "x")), Case((np.array([1.5, 2.0]), "y")))})
GOOD = {
    "calls": {
        "cases": "pairs",
        "answers": [
            {"value": 1, "arguments": [[2, 1], "x"]},
            {"error": {"type": "ValueError"}, "arguments": [np.array([1.5, 2.0]), "y"]},
        ],
    }
}
