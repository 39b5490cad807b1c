"""Calls of model classes in the student's code, and evaluating what stands there."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.definitions import dotted
from harness.submission import Submission


@dataclass(frozen=True, slots=True)
class ConstructorCall:
    """A call of a model class somewhere in the student's code. depth: 0 top level, 1 in a function, 2 in a class."""

    class_name: str
    node: ast.Call
    where: str
    depth: int


def can_call(target: Any, keywords: Mapping[str, Any]) -> bool:
    """True if the signature accepts exactly these keyword arguments; true where there is no signature to read."""
    try:
        inspect.signature(target).bind(**keywords)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


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


def sequential_calls(submission: Submission) -> list[Callable[[], Any]]:
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
