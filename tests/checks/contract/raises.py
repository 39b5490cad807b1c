"""Contract example of the check type raises."""

from typing import Any

from autograder.checks.base import Context
from autograder.specs.dataset import Case
from tests.checks.cases import answers

CONTEXT = Context(cases={"calls": (Case((0,), raises=("ValueError",)), Case((1,), expected=1))})
PARAMS: dict[str, Any] = {}
GOOD = {"calls": answers(ValueError("no"), 1)}
