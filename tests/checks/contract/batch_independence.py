"""Contract example of the check type batch_independence."""

from typing import Any

from tests.checks.examples import FORWARD

PARAMS: dict[str, Any] = {}
GOOD = {"forward": FORWARD}
