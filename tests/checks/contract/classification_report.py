"""Contract example of the check type classification_report."""

from tests.checks.examples import CONTEXT as CONTEXT
from tests.checks.examples import FORWARD, PREDICT, TRAIN

PARAMS = {"targets": "labels", "min_macro_f1": 0.5, "max_class_share": 0.6}
GOOD = {"forward": FORWARD, "predict": PREDICT, "train": TRAIN}
