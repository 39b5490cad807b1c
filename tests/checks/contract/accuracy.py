"""Contract example of the check type accuracy."""

from tests.checks.examples import CONTEXT as CONTEXT
from tests.checks.examples import FORWARD, PREDICT, TRAIN

PARAMS = {"targets": "labels", "min": 0.5, "full": 0.9}
GOOD = {"forward": FORWARD, "predict": PREDICT, "train": TRAIN}
