"""Reads single values of an untrusted observation: numbers, sizes, names, lists of rows. Never raises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autograder.model import Observation

MAX_SIZE = 10**9  # of an axis or a count that is believed


def is_clean(observation: Observation) -> bool:
    """True if the judge knows that no hidden input was in the process that answered: then its shapes may be told."""
    return observation.values.get("tainted") is False


def count_words(found: int, wanted: int, *, told: bool) -> str:
    """How many there are beside how many were asked for; a count that may not be told is `more` or `fewer`."""
    return f"{found}" if told else "more" if found > wanted else "fewer"


def number(value: Any) -> float:
    """The value as a float; NaN if it is no plain number, or a whole one that no float holds."""
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value) if abs(value) <= 1 << 1000 else math.nan
    return math.nan


def whole(value: Any) -> int | None:
    """The value if it is a plain whole number from 0 to MAX_SIZE, or None."""
    return value if type(value) is int and 0 <= value <= MAX_SIZE else None


def text(value: Any, longest: int = 80) -> str:
    """The value if it is plain text, cut to a length; otherwise an empty string. Always valid Unicode."""
    return value[:longest].encode("utf-8", "replace").decode() if type(value) is str else ""


def rows(value: Any, most: int = 10_000) -> list[Mapping[str, Any]]:
    """The dicts of a list, at most so many; empty if it is no list."""
    return [row for row in value[:most] if type(row) is dict] if type(value) is list else []


def shape(value: Any) -> tuple[int, ...] | None:
    """A shape of at most 8 axes as a tuple, or None if it is none."""
    if type(value) not in (list, tuple) or len(value) > 8 or any(whole(size) is None for size in value):
        return None
    return tuple(value)


def shape_text(sizes: tuple[Any, ...]) -> str:
    """A shape as Python writes it."""
    return "(" + ", ".join(str(size) for size in sizes) + ("," if len(sizes) == 1 else "") + ")"


def brief(value: float) -> str:
    """A number to three digits, as somebody reads it: too little to carry hidden inputs out."""
    return f"{value:.3g}" if math.isfinite(value) else "NaN or infinite"
