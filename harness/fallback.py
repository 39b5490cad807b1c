"""The model that is taken where the submission has none of an entry's names."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import SequenceMatcher
from types import CodeType, FunctionType
from typing import Any

from harness.constructors import can_call, constructor_calls, sequential_calls
from harness.submission import Submission

Found = tuple[Any, str, str]  # the model's class or builder, how it was found, its name
_MOST_REACHED = 1000


def only_model(
    submission: Submission, wanted: Sequence[str], others: Sequence[tuple[Any, Sequence[str]]]
) -> Found | None:
    """The one model that an entry without any of its names can mean, or None.

    wanted: the entry's names. others: what other entries have found, with their names. What those are made of is not
    taken, nor is a model whose name is more like theirs: it is a draft of one of them, or a part.
    """
    taken = reached(submission, [target for target, _ in others])
    models = {name: cls for name, cls in submission.models().items() if cls not in taken}
    found = _only_class(submission, models)
    if found is None and not models and not others and (builders := sequential_calls(submission)):
        found = builders[-1], "constructor_call", "nn.Sequential"
    if found is None or any(_likeness(found[2], names) > _likeness(found[2], wanted) for _, names in others):
        return None
    return found


def _only_class(submission: Submission, models: dict[str, type]) -> Found | None:
    """The only model that needs no argument, else the only one whose constructor call the student wrote."""
    calls = constructor_calls(submission, models)
    parts = {call.class_name for call in calls if call.depth == 2}
    free = [name for name, cls in models.items() if can_call(cls, {})]
    for names in (free, [name for name in free if name not in parts]):
        if len(names) == 1:
            return models[names[0]], "only_model", names[0]
    called = {call.class_name for call in calls if call.depth < 2} - (parts if len(models) > 1 else set())
    if len(called) == 1:
        name = called.pop()
        return models[name], "constructor_call", name
    return None


def _likeness(name: str, names: Sequence[str]) -> float:
    """How much a name is like the most similar one of several: 0 not at all, 1 the same."""
    return max(SequenceMatcher(None, name.lower(), other.lower()).ratio() for other in names)


def reached(submission: Submission, targets: Sequence[Any]) -> Collection[Any]:
    """These classes and functions with all of the student's own that they are based on or name in their code."""
    found: list[Any] = []
    waiting = list(targets)
    while waiting and len(found) < _MOST_REACHED:
        value = waiting.pop()
        if submission.is_own(value) and not any(value is other for other in found):
            found.append(value)
            waiting += _next(value)
    return found


def _next(value: Any) -> Iterator[Any]:
    if inspect.isclass(value):
        yield from value.__mro__[1:]
    for function in _functions(value):
        for name in _globals_of(function.__code__):
            if name in function.__globals__:
                yield function.__globals__[name]


def _functions(value: Any) -> Iterator[FunctionType]:
    """A function and what it wraps, or those of a class."""
    members: Sequence[Callable[..., Any]] = list(vars(value).values()) if inspect.isclass(value) else [value]
    for member in members:
        plain = inspect.unwrap(getattr(member, "__func__", member))
        if isinstance(plain, FunctionType):
            yield plain


def _globals_of(code: CodeType) -> Iterator[str]:
    """The global names that a function's code reads."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
        if isinstance(step.argval, CodeType):
            yield from _globals_of(step.argval)
