"""Contract example of the check type training_loop."""

from typing import Any

from autograder.checks.base import Context
from autograder.model import Observation
from tests.checks.test_training_loop import moved

CONTEXT = Context(also={"usual": Observation("moves", moved(1.0))})
PARAMS: dict[str, Any] = {"shuffled": True}
GOOD = {"moves": moved(0.001)}
