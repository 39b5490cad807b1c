"""Contract example of the check type causality."""

import numpy as np

from autograder.checks.base import Context
from autograder.model import Observation

OUTPUTS = np.arange(24.0).reshape(2, 4, 3)
CHANGED = OUTPUTS.copy()
CHANGED[:, 2:] += 1
CONTEXT = Context(also={"changed": Observation("forward", {"outputs": [CHANGED]})})
PARAMS = {"position": 2}
GOOD = {"forward": {"outputs": [OUTPUTS], "rows": 2}}
