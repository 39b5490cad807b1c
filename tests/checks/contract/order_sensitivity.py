"""Contract example of the check type order_sensitivity."""

from typing import Any

from autograder.checks.base import Context
from autograder.model import Observation
from tests.checks.examples import FORWARD, GOOD_LOGITS

CONTEXT = Context(also={"shuffled": Observation("forward", {"outputs": [GOOD_LOGITS[:, ::-1] + 1]})})
PARAMS: dict[str, Any] = {}
GOOD = {"forward": FORWARD}
