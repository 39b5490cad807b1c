"""Contract example of the check type padding_invariance."""

from typing import Any

from autograder.checks.base import Context
from autograder.model import Observation
from tests.checks.examples import FORWARD

CONTEXT = Context(also={"plain": Observation("forward", FORWARD)})
PARAMS: dict[str, Any] = {}
GOOD = {"forward": FORWARD}
