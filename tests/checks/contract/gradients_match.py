"""Contract example of the check type gradients_match."""

import numpy as np

from autograder.checks.base import Context
from autograder.specs.dataset import Case
from tests.checks.cases import answers

RIGHT = (np.arange(6.0).reshape(2, 3) - 2, np.array([1.0, -2.0]))
CONTEXT = Context(cases={"calls": (Case((3,), expected=RIGHT), Case((4,), expected={"W": RIGHT[0]}))})
PARAMS = {"names": ["A", "B"]}
GOOD = {"calls": answers(list(RIGHT), {"W": RIGHT[0]})}
