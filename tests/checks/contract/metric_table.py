"""Contract example of the check type metric_table."""

import numpy as np

from autograder.checks.base import Context

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
PREDICTED = {"one": np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2]), "two": np.array([0, 0, 0, 0, 1, 0, 0, 0, 2, 1])}
CONTEXT = Context({"labels": LABELS, **PREDICTED}, ("a", "b", "c"))
PARAMS = {"rows": ["one", "two"], "targets": "labels", "predictions": {"one": "one", "two": "two"}}
TABLE = {
    "one": {"accuracy": 0.8, "precision": 0.806, "recall": 0.806, "f1": 0.794},
    "two": {"accuracy": 0.6, "precision": 0.69, "recall": 0.556, "f1": 0.542},
}
GOOD = {"call": {"value": TABLE}, "calls": {"answers": [{"value": TABLE}]}}
