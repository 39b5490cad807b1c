"""Giving values to the parameters of a student's callable, whatever the student called them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import BadRequest, HarnessError, Kind

Declared = Sequence[Sequence[str]]  # in order: a parameter's name in the task, then other names it goes by
Bound = tuple[list[Any], dict[str, Any]]


def adapt(
    function: Callable[..., Any],
    declared: Declared,
    arguments: Sequence[Any],
    keywords: Mapping[str, Any],
    *,
    lenient: bool = False,
) -> Bound:
    """Positional and keyword arguments for the student's callable.

    arguments follow the declared order, keywords the declared names. A parameter is found by its name or another
    accepted one, whatever its case and underscores; those that no name explains get what is left, in the declared
    order, if the count fits. lenient (models): what the callable has no parameter for is left out. Nothing declared:
    both as they are. Raises HarnessError(exception, TypeError) naming both signatures, BadRequest.
    """
    if not declared:
        return list(arguments), dict(keywords)
    given = _named(declared, arguments, keywords)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return list(given.values()), {}
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    places = _by_name(named, declared, given)
    left = [name for name in given if name not in places.values()]
    free = [p for p in named if p.name not in places]
    required = [p for p in free if p.default is p.empty]
    if left and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return list(given.values()), {}
    if _fits(left, free, required, bool(places)):
        takers = required if len(left) == len(required) else free
        places |= {p.name: name for p, name in zip(takers, left, strict=False)}
        left = []
    elif required:
        raise mismatch(function, declared, given)
    values = {parameter: given[name] for parameter, name in places.items()}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        values |= {name: given[name] for name in left}
    elif left and not lenient:
        raise mismatch(function, declared, given)
    return _call_order(named, values)


def _named(declared: Declared, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The values by declared name, in the declared order."""
    names = [row[0] for row in declared]
    if len(arguments) > len(names) or set(keywords) - set(names):
        raise BadRequest(f"there are values for more than the declared parameters {', '.join(names)}")
    given = {**dict(zip(names, arguments, strict=False)), **keywords}
    return {name: given[name] for name in names if name in given}


def _by_name(named: list[inspect.Parameter], declared: Declared, given: Mapping[str, Any]) -> dict[str, str]:
    """Student's parameter → declared name, for those that a name explains; an official name goes before others."""
    places: dict[str, str] = {}
    for position in ("official", "other"):
        for parameter in named:
            for row in declared:
                words = row[:1] if position == "official" else row[1:]
                known = flat(parameter.name) in {flat(word) for word in words}
                if known and row[0] in given and parameter.name not in places and row[0] not in places.values():
                    places[parameter.name] = row[0]
    return places


def _fits(left: list[str], free: list[Any], required: list[Any], some_named: bool) -> bool:
    """True if the values left over can go to the parameters left over by their order alone."""
    if not left or not free:
        return False
    if some_named:
        return len(left) == len(required)
    return max(len(required), 1) <= len(left) <= len(free)


def _call_order(named: list[inspect.Parameter], values: dict[str, Any]) -> Bound:
    """Positional-only parameters by position, all others by name."""
    positional = [values.pop(p.name) for p in named if p.kind is p.POSITIONAL_ONLY and p.name in values]
    return positional, values


def mismatch(function: Callable[..., Any], declared: Declared, given: Mapping[str, Any]) -> HarnessError:
    """What a student reads whose callable can't take the values: both signatures, and what to do."""
    name = getattr(function, "__name__", "the function")
    try:
        own = str(inspect.signature(function))[:500]
    except (TypeError, ValueError):
        own = "(…)"
    wanted = ", ".join(row[0] for row in declared if row[0] in given)
    message = (
        f"{name}{own} can't be called with the parameters of the task, ({wanted}). "
        "Give it these parameters in this order; further ones need default values."
    )
    return HarnessError(Kind.EXCEPTION, message, "TypeError")


def flat(name: str) -> str:
    """A name without case and underscores."""
    return name.replace("_", "").lower()
