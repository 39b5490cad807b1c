"""How tests are spread over processes: what shares something that is dear to start stays together."""

from __future__ import annotations

import pytest

# The longest first, so that no process is left alone with them at the end.
_ORDER = ("e2e", "specs", "security", "harness", "conformance", "integration", "checks", "api", "unit")
# Values of these parameters pick what a module's fixtures start, so one value's tests make a group of their own.
_APART = ("spec", "sandbox", "real_sandbox", "usual_box", "grade", "service")


def spread(items: list[pytest.Item]) -> None:
    """Order tests and mark each with its group: its module, and there the parameters that make fixtures."""
    items.sort(key=lambda item: _place(item.nodeid))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _place(name: str) -> int:
    parts = name.split("/")
    return _ORDER.index(parts[1]) if len(parts) > 2 and parts[1] in _ORDER else len(_ORDER)


def _group(item: pytest.Item) -> str:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    values = [str(parameters[name]) for name in _APART if name in parameters]
    return "-".join([item.nodeid.partition("::")[0], *values])
