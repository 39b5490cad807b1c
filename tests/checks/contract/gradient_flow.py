"""Contract example of the check type gradient_flow."""

from typing import Any

PARAMS: dict[str, Any] = {}
GOOD = {"gradient_norms": {"loss": 1.1, "parameters": [{"name": "w", "norm": 0.5, "shape": [3]}]}}
