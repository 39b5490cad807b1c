"""Contract example of the check type loss_on_logits."""

from typing import Any

from autograder.checks.base import Context
from autograder.model import Observation
from tests.checks.test_loss_on_logits import moved

CONTEXT = Context(also={"usual": Observation("moves", moved(0.1))})
PARAMS: dict[str, Any] = {"classes": 3}
GOOD = {"moves": moved(0.1)}
