"""Compares two gradings of one submission, check by check, to the last digit."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.model import CheckResult
from autograder.text import one_line

_COMPARED = ("verdict", "score", "max_score", "message", "hint", "evidence")


def differences(first: Sequence[CheckResult], second: Sequence[CheckResult]) -> list[str]:
    """What two gradings don't share, in words; empty if they agree. Times don't count."""
    found = []
    others = {c.id: c for c in second}
    for check in first:
        other = others.pop(check.id, None)
        if other is None:
            found.append(f"{check.id}: only in the first")
            continue
        for name in _COMPARED:
            one, two = getattr(check, name), getattr(other, name)
            if one != two:
                found.append(f"{check.id}: {name} is {_short(one)}, then {_short(two)}")
    return found + [f"{name}: only in the second" for name in others]


def _short(value: object) -> str:
    """Fit for a terminal: a message may hold words of a student's program."""
    return one_line(value, 120)
