"""Contract example of the check type loss_curve."""

from tests.checks.examples import CONTEXT as CONTEXT
from tests.checks.examples import TRAIN

PARAMS = {"label": "test", "targets": "labels", "train_label": "test", "train_targets": "labels"}
GOOD = {"train": TRAIN}
