"""Turns a list of demands, each held or not, into one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.checks.base import failed, partial, passed
from autograder.model import Outcome

_MOST = 3  # troubles named in one message


@dataclass(frozen=True)
class Demand:
    """One thing that was asked for. trouble: what is wrong in words, empty if it holds; hint: what to try."""

    trouble: str = ""
    hint: str = ""


def outcome_of(
    demands: Sequence[Demand], praise: str, told: bool = True, /, *, share: bool, **evidence: Any
) -> Outcome:
    """All points if every demand holds; otherwise none, or with `share` the part of them that does.

    told: False where the student's process chose how many demands there are, and may not say anything with it.
    """
    broken = [d for d in demands if d.trouble]
    if not demands:
        return failed("Nothing was asked for.", "Tell your instructor: this check of the task has no parameters.")
    if not broken:
        return passed(praise, **evidence)
    words = " ".join(d.trouble for d in broken[:_MOST])
    if len(broken) > _MOST:
        words += f" And {len(broken) - _MOST} more." if told else " And more."
    hint = next((d.hint for d in broken if d.hint), "")
    if not share:
        return failed(words, hint, **evidence)
    return partial(1 - len(broken) / len(demands), words, hint, **evidence)
