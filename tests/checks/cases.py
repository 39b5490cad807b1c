"""Calls for tests of checks that judge them."""

from __future__ import annotations

from typing import Any

from autograder.checks.base import Context
from autograder.model import Outcome
from autograder.specs.dataset import Case
from tests.checks.examples import judge


def answers(*given: Any) -> dict[str, Any]:
    """Values of a `calls` observation with these answers; an exception stands for an error."""
    made = []
    for value in given:
        if isinstance(value, Exception):
            error = {"type": type(value).__name__, "message": str(value), "where": "cell 2, line 3"}
            made.append({"error": error})
        else:
            made.append({"value": value})
    return {"answers": made, "cases": "calls", "tainted": False}


def ask(
    kind: str, cases: list[Case], given: list[Any], /, *, hidden: bool = False, tainted: bool = False, **params: Any
) -> Outcome:
    """What a check says about these answers to these cases."""
    context = Context(cases={"calls": tuple(cases)}, hidden=frozenset({"calls"} if hidden else ()))
    return judge(kind, "calls", answers(*given) | {"tainted": tainted}, context=context, **params)
