"""Contract example of the check type checkpoint."""

from autograder.checks.base import Context
from tests.checks.examples import GOOD_LOGITS

CONTEXT = Context({"right": GOOD_LOGITS})
PARAMS = {"tensors": {"fc.weight": [3, None]}, "shapes": [[3]], "may_add": ["old.*"], "expected": "right"}
GOOD = {
    "checkpoint": {
        "tensors": [
            {"name": "fc.weight", "shape": [3, 4], "dtype": "float32"},
            {"name": "fc.bias", "shape": [3], "dtype": "float32"},
        ],
        "missing": [],
        "unexpected": ["old.weight"],
        "outputs": GOOD_LOGITS,
    }
}
