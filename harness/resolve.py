"""Finding what the judge asks for by name, and building models from it."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from harness.adapt import Declared, adapt, mismatch
from harness.constructors import ConstructorCall, can_call, constructor_calls, evaluate
from harness.errors import BadRequest, HarnessError, Kind, message_of
from harness.fallback import only_model
from harness.packages import Placeholder
from harness.submission import Submission

WORDS = {"model": "class", "function": "function", "value": "variable"}
MAX_NEAR = 8


@dataclass(frozen=True, slots=True)
class Resolved:
    """An entry point: what was found under which name, or why not. how, parameters: see docs/wire.md."""

    kind: str
    target: Any = None
    how: str | None = None
    name: str = ""
    near: tuple[str, ...] = ()
    message: str = ""
    parameters: Declared = ()

    @property
    def found(self) -> bool:
        """True if there is a target."""
        return self.how is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """What is looked for: the official name first. factories: functions that return the model."""

    kind: str
    names: Sequence[str]
    factories: Sequence[str] = ()


def resolve(submission: Submission, entries: Mapping[str, Entry]) -> dict[str, Resolved]:
    """Look entry points up. Raises BadRequest for an unknown kind; never for what the student did."""
    found = {name: _by_name(submission, entry) for name, entry in entries.items()}
    models = [name for name, entry in entries.items() if entry.kind == "model"]
    missing = [name for name in models if not found[name].found]
    # Entries of the same names are one model, built with several arguments. Of two that are missing, none is guessed.
    if len({(*entries[name].names, *entries[name].factories) for name in missing}) == 1:
        others = [(found[name].target, entries[name].names) for name in models if name not in missing]
        if model := only_model(submission, entries[missing[0]].names, others):
            found |= dict.fromkeys(missing, Resolved("model", *model))
    return found


def _by_name(submission: Submission, entry: Entry) -> Resolved:
    kind, names = entry.kind, entry.names
    if kind not in WORDS or not names:
        raise BadRequest("an entry needs a kind (model, function, value) and names")
    problem = ""
    for position, name in enumerate(names):
        value, trouble = _look_up(submission, name, kind)
        problem = problem or trouble
        if _fits(kind, value):
            return Resolved(kind, value, "alias" if position else "name", name)
    for name in entry.factories:
        value, trouble = _look_up(submission, name, "function")
        problem = problem or trouble
        if _fits("function", value):
            return Resolved(kind, value, "factory", name)
    near = _near(submission, kind, names[0])
    return Resolved(kind, near=tuple(near), message=_message(submission, entry, near, problem))


_ABSENT = object()


def _look_up(submission: Submission, name: str, kind: str) -> tuple[Any, str]:
    """The value of a name and, if it can't be had, the reason."""
    if name in submission.notes.failed:
        return _ABSENT, submission.notes.failed[name]
    if not submission.has(name):
        return _ABSENT, ""
    try:
        value = submission.value(name)
    except BaseException as error:
        return _ABSENT, f"`{name}` could not be evaluated: {type(error).__name__}: {message_of(error)}"
    if not _fits(kind, value):
        wanted = {"model": "a class based on torch.nn.Module", "function": "a function"}.get(kind, "a value")
        return _ABSENT, f"`{name}` is there but is no {wanted.removeprefix('a ')}."
    return value, ""


def _fits(kind: str, value: Any) -> bool:
    if value is _ABSENT or isinstance(value, Placeholder):
        return False
    if kind == "model" and inspect.isclass(value):
        return issubclass(value, torch.nn.Module)
    if kind in ("model", "function"):
        return callable(value) and not isinstance(value, torch.nn.Module)
    return True


def _near(submission: Submission, kind: str, name: str) -> list[str]:
    kinds = {"model": ("model",), "function": ("function",), "value": ("value",)}[kind]
    names = [n for n, k in submission.names().items() if k in kinds]
    lower = {n.lower(): n for n in names}
    close = [lower[n] for n in difflib.get_close_matches(name.lower(), list(lower), n=MAX_NEAR, cutoff=0.5)]
    return [*close, *(n for n in names if n not in close)][:MAX_NEAR]


def _message(submission: Submission, entry: Entry, near: list[str], problem: str) -> str:
    official, word = entry.names[0], WORDS[entry.kind]
    if entry.kind == "model" and official.islower():
        word = "function"
    accepted = [*entry.names[1:], *(f"{name}()" for name in entry.factories)]
    also = f" (also accepted: {', '.join(accepted)})" if accepted else ""
    parts = [f"No {word} named {official}{also}."]
    if problem:
        parts.append(problem if problem.endswith(".") else problem + ".")
    if near:
        plural = "classes" if entry.kind == "model" else f"{word}s"
        listed = ", ".join(f"{n} ({place})" if (place := submission.place(n)) else n for n in near)
        parts.append(f"Found {plural}: {listed}. Rename the right one to {official}.")
    elif not problem:
        parts.append(f"Define {official} at the top level of the submission.")
    return " ".join(parts)[:2000]


def accepted(target: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments the signature has a name, or ** room, for."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return {}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return dict(arguments)
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return {name: value for name, value in arguments.items() if name in names}


@dataclass(frozen=True, slots=True)
class Build:
    """How to build a model: call `target` with these arguments."""

    target: Any
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]
    how: str


def plan_build(submission: Submission, entry: Resolved, arguments: Mapping[str, Any]) -> Build:
    """The arguments to build an entry's model with: the judge's, else those of the student's own call.

    Raises HarnessError if the model needs arguments nobody gives.
    """
    target, how = entry.target, entry.how or ""
    keywords = accepted(target, arguments)
    refused, tried = "", ""
    if entry.parameters and arguments:
        try:
            given, keywords = adapt(target, entry.parameters, (), arguments, lenient=True)
            return Build(target, tuple(given), keywords, how)
        except HarnessError as error:
            refused = str(error)
    elif can_call(target, keywords):
        return Build(target, (), keywords, how)
    elif arguments:
        refused = str(mismatch(target, [[name] for name in arguments], arguments))
    for call in constructor_calls(submission, {target.__name__: target}) if inspect.isclass(target) else ():
        if call.depth == 2:
            continue
        try:
            args, own = _arguments(submission, call)
        except Exception as error:
            reason = f"{type(error).__name__}: {message_of(error)}"
            tried += f" Your own call in {call.where} could not be used: {reason}"
            continue
        return Build(target, args, {**own, **keywords} if len(args) == 0 else own, "constructor_call")
    raise HarnessError(Kind.EXCEPTION, (refused or _needs(target)) + tried, "TypeError")


def _needs(target: Any) -> str:
    """What a student reads whose model can't be built without arguments, where the task has none."""
    needed = ", ".join(p.name for p in inspect.signature(target).parameters.values() if p.default is p.empty)
    name = target.__name__
    return f"{name} needs arguments ({needed}). Give them default values, so that {name}() works."


def _arguments(submission: Submission, call: ConstructorCall) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The evaluated arguments of the student's call, the class itself not called."""

    def collect(*args: Any, **keywords: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, keywords

    name = "__collect__"
    node = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=call.node.args, keywords=call.node.keywords)
    node = ast.fix_missing_locations(ast.copy_location(node, call.node))
    result: tuple[tuple[Any, ...], dict[str, Any]] = evaluate(submission, node, call.where, {name: collect})
    return result
