"""Cases of a `calls` observation beside their answers, and how a call is shown to a student."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks._values import is_clean, shape_text, text
from autograder.checks.base import Context
from autograder.model import Observation

_MOST_SHOWN = 12  # numbers of one array


@dataclass(frozen=True)
class Answered:
    """One case and what came of it. error: type, message, where and hint, or None; missing: neither came."""

    case: Any
    number: int
    value: Any = None
    error: Mapping[str, Any] | None = None
    missing: bool = False

    @property
    def group(self) -> str:
        """The case's group, or one of its own."""
        return self.case.group or f"case {self.number}"


def list_name(observation: Observation, given: str, context: Context) -> str:
    """Which case list was called: a parameter of the check, the observation's own word, or the only one there is."""
    said = observation.values.get("cases")
    name = given or (said if type(said) is str else "")
    return name if name in context.cases or len(context.cases) != 1 else next(iter(context.cases))


def answered(observation: Observation, name: str, context: Context, only: Sequence[str]) -> list[Answered]:
    """The list's cases in order, those of some groups only if groups are given, each with its answer."""
    answers = observation.values.get("answers")
    given = answers if type(answers) is list else []
    found = []
    for i, case in enumerate(context.cases.get(name, ())):
        if only and case.group not in only:
            continue
        answer = given[i] if i < len(given) and type(given[i]) is dict else {}
        error = answer.get("error")
        if type(error) is dict:
            found.append(Answered(case, i + 1, error=error))
        else:
            found.append(Answered(case, i + 1, answer.get("value"), missing="value" not in answer))
    return found


def smallest(found: Iterable[Answered]) -> Answered:
    """The answer to show of several: that to the smallest case by its `size`, the first of equal ones."""
    return min(found, key=lambda answer: answer.case.size)


def example(observation: Observation, name: str, context: Context, show: str, answer: Answered) -> dict[str, str]:
    """A wrong case as evidence, as far as it may be shown: `show` is inputs, answer (the right one too) or nothing.

    Nothing of a hidden list; and no value that a process gave after it had seen hidden inputs.
    """
    if name in context.hidden or show == "nothing":
        return {}
    found = {"example": answer.case.label} if answer.case.label else {}
    found["called with"] = call_text(answer.case)
    if show == "answer":
        found["expected"] = value_text(answer.case.expected)
    if is_clean(observation) and answer.error is None and not answer.missing:
        found["got"] = value_text(answer.value)
    return found


def sizes_of(case: Any) -> set[int]:
    """Numbers of elements that an answer may wrongly be multiplied by: lengths of the arguments."""
    found: set[int] = set()
    for value in (*case.arguments, *case.keywords.values()):
        if isinstance(value, np.ndarray):
            found.update({*value.shape, value.size})
        elif isinstance(value, list | tuple | str):
            found.add(len(value))
        elif isinstance(value, int) and value < 10_000:
            found.add(value)
    return {n for n in found if n > 2}


def offered(case: Any) -> set[float]:
    """Every single number among the arguments: an answer may be a choice of one."""
    found: set[float] = set()
    left = [*case.arguments, *case.keywords.values()]
    while left:
        value = left.pop()
        if isinstance(value, Mapping):
            left.extend(value.values())
        elif isinstance(value, list | tuple):
            left.extend(value)
        elif isinstance(value, int | float):
            found.add(float(value))
    return found


def error_text(error: Mapping[str, Any]) -> str:
    """An exception as it was told: type, message and place."""
    kind, message, where = text(error.get("type")), text(error.get("message"), 300), text(error.get("where"), 100)
    said = f"{kind or 'an exception'}: {message}" if message else kind or "an exception"
    return f"{said} ({where})" if where else said


def error_hint(error: Mapping[str, Any]) -> str:
    """What to try about an exception, if that is known."""
    return text(error.get("hint"), 500)


def call_text(case: Any) -> str:
    """The arguments of a call, short enough to read."""
    arguments = [value_text(a) for a in case.arguments]
    arguments += [f"{key}={value_text(a)}" for key, a in case.keywords.items()]
    said = ", ".join(arguments)
    return f"({said[:400]}{' …' if len(said) > 400 else ''})"


def value_text(value: Any, depth: int = 0) -> str:
    """A value as Python would write it; large ones by their shape. Numbers have at most six digits."""
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiub":
            return "an array"
        plain = np.array(value)
        return value_text(plain.tolist(), depth) if plain.size <= _MOST_SHOWN else f"array {shape_text(plain.shape)}"
    if type(value) is bool or value is None:
        return str(value)
    if type(value) is int:
        return str(value) if abs(value) < 1 << 64 else "a very large number"
    if type(value) is float:
        return f"{value:.6g}"
    if type(value) is str:
        return repr(text(value, 60)) + ("…" if len(value) > 60 else "")
    if type(value) in (list, tuple):
        if depth > 3:
            return "[…]"
        parts = [value_text(v, depth + 1) for v in value[:_MOST_SHOWN]] + (["…"] if len(value) > _MOST_SHOWN else [])
        return f"[{', '.join(parts)}]" if type(value) is list else f"({', '.join(parts)})"
    if type(value) is dict:
        if depth > 3:
            return "{…}"
        pairs = [f"{value_text(k, 3)}: {value_text(v, depth + 1)}" for k, v in list(value.items())[:_MOST_SHOWN]]
        return "{" + ", ".join(pairs) + "}"
    return text(getattr(value, "kind", "")) or "…"
