"""Contract example of the check type entry_points."""

from typing import Any

PARAMS: dict[str, Any] = {}
GOOD = {
    "resolve": {
        "entries": {"model": {"found": "CNN", "how": "name", "official": "CNN", "kind": "model", "required": True}},
        "names": {"CNN": "model"},
    }
}
