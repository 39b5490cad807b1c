"""Contract example of the check type allclose."""

import numpy as np

from autograder.checks.base import Context
from autograder.specs.dataset import Case
from tests.checks.cases import answers
from tests.checks.examples import FORWARD, GOOD_LOGITS, PREDICT

RIGHT = [(np.arange(3.0), 4), {"loss": 0.5, "name": "adam"}, [[1, 2], [3, 4]], None, np.float64(2.5)]
CONTEXT = Context({"right": GOOD_LOGITS}, cases={"calls": tuple(Case((i,), expected=e) for i, e in enumerate(RIGHT))})
PARAMS = {"expected": "right"}
GOOD = {
    "calls": answers([np.arange(3.0), 4], {"loss": 0.5, "name": "adam"}, np.array([[1, 2], [3, 4]]), None, 2.5),
    "call": {"value": GOOD_LOGITS},
    "forward": FORWARD,
    "predict": PREDICT,
}
