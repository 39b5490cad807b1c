"""Finding what the judge asks for by name, and building models from it."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from harness.adapt import Declared, adapt
from harness.definitions import dotted
from harness.errors import BadRequest, HarnessError, Kind, message_of
from harness.packages import Placeholder
from harness.submission import Submission

WORDS = {"model": "class", "function": "function", "value": "variable"}
MAX_NEAR = 8


@dataclass(frozen=True, slots=True)
class ConstructorCall:
    """A call of a model class somewhere in the student's code. depth: 0 top level, 1 in a function, 2 in a class."""

    class_name: str
    node: ast.Call
    where: str
    depth: int


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


def resolve(submission: Submission, kind: str, names: Sequence[str], factories: Sequence[str]) -> Resolved:
    """Look an entry point up. Raises BadRequest for an unknown kind; never for what the student did."""
    if kind not in WORDS or not names:
        raise BadRequest("an entry needs a kind (model, function, value) and names")
    problem = ""
    for position, name in enumerate(names):
        value, trouble = _look_up(submission, name, kind)
        problem = problem or trouble
        if _fits(kind, value):
            return Resolved(kind, value, "alias" if position else "name", name)
    for name in factories:
        value, trouble = _look_up(submission, name, "function")
        problem = problem or trouble
        if _fits("function", value):
            return Resolved(kind, value, "factory", name)
    if kind == "model" and (fallback := _fallback(submission)) is not None:
        return fallback
    near = _near(submission, kind, names[0])
    return Resolved(kind, near=tuple(near), message=_message(submission, kind, names, factories, near, problem))


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


def _fallback(submission: Submission) -> Resolved | None:
    """The only model that needs no argument, else the only one whose constructor call the student wrote."""
    models = submission.models()
    calls = constructor_calls(submission, models)
    parts = {call.class_name for call in calls if call.depth == 2}
    free = [name for name, cls in models.items() if can_call(cls, {})]
    for names in (free, [name for name in free if name not in parts]):
        if len(names) == 1:
            return Resolved("model", models[names[0]], "only_model", names[0])
    called = {call.class_name for call in calls if call.depth < 2} - (parts if len(models) > 1 else set())
    if len(called) == 1:
        name = called.pop()
        return Resolved("model", models[name], "constructor_call", name)
    if not models and (sequential := _sequential_calls(submission)):
        return Resolved("model", sequential[-1], "constructor_call", "nn.Sequential")
    return None


def _near(submission: Submission, kind: str, name: str) -> list[str]:
    kinds = {"model": ("model",), "function": ("function",), "value": ("value",)}[kind]
    names = [n for n, k in submission.names().items() if k in kinds]
    lower = {n.lower(): n for n in names}
    close = [lower[n] for n in difflib.get_close_matches(name.lower(), list(lower), n=MAX_NEAR, cutoff=0.5)]
    return [*close, *(n for n in names if n not in close)][:MAX_NEAR]


def _message(
    submission: Submission, kind: str, names: Sequence[str], factories: Sequence[str], near: list[str], problem: str
) -> str:
    word = WORDS[kind]
    accepted = [*names[1:], *(f"{name}()" for name in factories)]
    also = f" (also accepted: {', '.join(accepted)})" if accepted else ""
    parts = [f"No {word} named {names[0]}{also}."]
    if problem:
        parts.append(problem if problem.endswith(".") else problem + ".")
    if near:
        plural = "classes" if word == "class" else f"{word}s"
        listed = ", ".join(f"{n} ({place})" if (place := submission.place(n)) else n for n in near)
        parts.append(f"Found {plural}: {listed}. Rename the right one to {names[0]}.")
    elif not problem:
        parts.append(f"Define {names[0]} at the top level of the submission.")
    return " ".join(parts)[:2000]


def can_call(target: Any, keywords: Mapping[str, Any]) -> bool:
    """True if the signature accepts exactly these keyword arguments; true where there is no signature to read."""
    try:
        inspect.signature(target).bind(**keywords)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


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


def constructor_calls(submission: Submission, models: Mapping[str, Any]) -> list[ConstructorCall]:
    """Calls of these classes in the student's code; top-level ones first, later ones before earlier ones."""
    calls: list[ConstructorCall] = []
    for chunk, tree in submission.notes.trees:
        finder = _CallFinder(chunk, models)
        finder.visit(tree)
        calls += finder.calls
    calls.reverse()
    return sorted(calls, key=lambda call: call.depth)


class _CallFinder(ast.NodeVisitor):
    def __init__(self, chunk: str, models: Mapping[str, Any]) -> None:
        self._chunk, self._models = chunk, models
        self._depth = 0
        self._class = ""
        self.calls: list[ConstructorCall] = []

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._inside(node, max(self._depth, 1), self._class)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node, 2, node.name)

    def _inside(self, node: ast.AST, depth: int, name: str) -> None:
        before = self._depth, self._class
        self._depth, self._class = depth, name
        self.generic_visit(node)
        self._depth, self._class = before

    def visit_Call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        if name in self._models and name != self._class:
            self.calls.append(ConstructorCall(name, node, f"{self._chunk}, line {node.lineno}", self._depth))
        self.generic_visit(node)


def _sequential_calls(submission: Submission) -> list[Callable[[], Any]]:
    """Builders for `model = nn.Sequential(…)` at the top level, for files without any class."""
    builders: list[Callable[[], Any]] = []
    for chunk, tree in submission.notes.trees:
        for node in tree.body:
            value = node.value if isinstance(node, ast.Assign) else None
            while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
                if dotted(value.func) in ("nn.Sequential", "torch.nn.Sequential"):
                    builders.append(functools.partial(evaluate, submission, value, f"{chunk}, line {node.lineno}"))
                value = value.func.value
    return builders


def evaluate(submission: Submission, node: ast.expr, where: str, extra: Mapping[str, Any] | None = None) -> Any:
    """Evaluate an expression of the student's code in the submission's namespace."""
    code = compile(ast.Expression(node), where.split(", line")[0], "eval", dont_inherit=True)
    return eval(code, submission.namespace, dict(extra or {}))


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
    failure = ""
    if entry.parameters and arguments:
        try:
            given, keywords = adapt(target, entry.parameters, (), arguments, lenient=True)
            return Build(target, tuple(given), keywords, how)
        except HarnessError as error:
            failure = f" {error}"
    elif can_call(target, keywords):
        return Build(target, (), keywords, how)
    for call in constructor_calls(submission, {target.__name__: target}) if inspect.isclass(target) else ():
        if call.depth == 2:
            continue
        try:
            args, own = _arguments(submission, call)
        except Exception as error:
            reason = f"{type(error).__name__}: {message_of(error)}"
            failure += f" Your own call in {call.where} could not be used: {reason}"
            continue
        return Build(target, args, {**own, **keywords} if len(args) == 0 else own, "constructor_call")
    needed = ", ".join(p.name for p in inspect.signature(target).parameters.values() if p.default is p.empty)
    message = (
        f"{target.__name__} needs arguments ({needed}). Give them default values, so that {target.__name__}() works."
    )
    raise HarnessError(Kind.EXCEPTION, message + failure, "TypeError")


def _arguments(submission: Submission, call: ConstructorCall) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The evaluated arguments of the student's call, the class itself not called."""

    def collect(*args: Any, **keywords: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, keywords

    name = "__collect__"
    node = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=call.node.args, keywords=call.node.keywords)
    node = ast.fix_missing_locations(ast.copy_location(node, call.node))
    result: tuple[tuple[Any, ...], dict[str, Any]] = evaluate(submission, node, call.where, {name: collect})
    return result
