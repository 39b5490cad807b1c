"""Contract example of the check type output_shape."""

from tests.checks.examples import FORWARD, PREDICT

PARAMS = {"shape": ["N", 3], "values": "logits"}
GOOD = {"forward": FORWARD, "predict": PREDICT}
JUDGES_VALUES = False  # the shape alone; finite is its own check
