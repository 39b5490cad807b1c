"""Contract example of the check type finite."""

from tests.checks.examples import FORWARD, PREDICT, TRAIN

PARAMS = {"label": "test"}
GOOD = {"forward": FORWARD, "predict": PREDICT, "train": TRAIN}
