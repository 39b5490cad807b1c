"""Reads the answers of the probes call and calls, and the rankings in them. All of it is untrusted; nothing raises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks._cases import error_hint, error_text
from autograder.checks._values import number, text
from autograder.checks.base import Context, failed
from autograder.model import Observation, Outcome

MOST_ANSWERS = 1000
MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """One call's answer. value: None if it raised; error, hint: then what, and what to try; kind: the exception's type.

    expected: the judge's own. size: the case's.
    """

    value: Any
    error: str = ""
    hint: str = ""
    kind: str = ""
    expected: Any = None
    label: str = ""
    size: float = 0


def answers(observation: Observation, context: Context, cases: str = "") -> list[Answer]:
    """The answer of a call, or those of calls beside what their cases expect.

    Empty if there is none, or if a calls observation has another number of answers than the data set has cases. cases:
    the list's name, if the observation does not say it.
    """
    if observation.probe != "calls":
        value = observation.values.get("value")
        return [] if value is None else [Answer(value)]
    rows = observation.values.get("answers")
    said = observation.values.get("cases")
    asked = context.cases.get(said if type(said) is str else cases, ())
    if type(rows) is not list or not 0 < len(rows) <= MOST_ANSWERS or (asked and len(asked) != len(rows)):
        return []
    found = []
    for index, row in enumerate(rows):
        case = asked[index] if asked else None
        value = row.get("value") if type(row) is dict else None
        error = row.get("error") if type(row) is dict else None
        fault = error if type(error) is dict and value is None else {}
        found.append(
            Answer(
                value,
                error_text(fault) if fault else "",
                error_hint(fault),
                text(fault.get("type"), 60),
                getattr(case, "expected", None),
                getattr(case, "label", "") or f"call {index + 1}",
                getattr(case, "size", 0),
            )
        )
    return found


def raised(given: Sequence[Answer], advice: str) -> Outcome | None:
    """The outcome of calls of which some raised: what the smallest did. None if none did.

    advice: what to try, if nothing better is known.
    """
    shown = min((answer for answer in given if answer.error), key=lambda answer: answer.size, default=None)
    return None if shown is None else failed(f"The call raised {shown.error}.", shown.hint or advice)


def word(value: Any) -> str:
    """A token, name or number as comparable text; empty if it is none of these."""
    if type(value) is str:
        return value.strip().lower()[:200]
    if type(value) is bool:
        return ""
    figure = number(value)
    return "" if math.isnan(figure) else f"{figure:g}"


def ranking(value: Any) -> list[str] | None:
    """A ranked list as words: of items, of [item, score] pairs, or a flat array; None if it is none of these."""
    if isinstance(value, np.ndarray):
        if value.ndim != 1 or not 0 < value.size <= MOST_ITEMS or value.dtype.kind not in "fiu":
            return None
        value = [float(v) for v in value]
    if type(value) not in (list, tuple) or not 0 < len(value) <= MOST_ITEMS:
        return None
    words = [word(v[0] if type(v) in (list, tuple) and v else v) for v in value]
    return words if all(words) else None


def by_name(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A student's dict by the names of classes; keys may be names in any case, or class numbers."""
    if type(value) is not dict:
        return {}
    known = {word(name): name for name in names} | {str(i): name for i, name in enumerate(names)}
    return {known[word(key)]: item for key, item in list(value.items())[:MOST_ITEMS] if word(key) in known}


def overlap_at(found: list[str], wanted: list[str], k: int) -> float:
    """Share of the first k of `wanted` that stand among the first k of `found`."""
    best = wanted[:k]
    return len(set(found[:k]) & set(best)) / len(best) if best else math.nan


def rank_biased_overlap(found: list[str], wanted: list[str], k: int, p: float = 0.9) -> float:
    """Agreement of two rankings to depth k, 0 to 1, early ranks first (Webber, Moffat and Zobel 2010, cut at k).

    The mean over depths d of the share common to both first d, weighted with p**(d - 1).
    """
    depth = min(k, len(wanted))
    if depth < 1:
        return math.nan
    weights = [p ** (d - 1) for d in range(1, depth + 1)]
    shares = [len(set(found[:d]) & set(wanted[:d])) / d for d in range(1, depth + 1)]
    return sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights)


def rankings_of(fact: Any) -> Mapping[str, Any]:
    """A fact that must be a mapping. Raises ValueError otherwise: a fault of the data builder."""
    if not isinstance(fact, Mapping):
        raise ValueError("the data set lacks this fact, or it is no mapping")
    return fact
