"""Contract example of the check type perplexity."""

import numpy as np

from autograder.checks.base import Context

TARGETS = np.array([[0, 1, 2], [2, 1, 0]])
LOGITS = np.eye(3)[TARGETS] * 4.0
CONTEXT = Context({"targets": TARGETS})
PARAMS = {"targets": "targets", "max": 1.2, "label": "val"}
GOOD = {
    "forward": {"outputs": [LOGITS], "rows": 2},
    "train": {"epochs": [{"epoch": 0, "outputs": {"val": LOGITS * 0}}, {"epoch": 1, "outputs": {"val": LOGITS}}]},
}
