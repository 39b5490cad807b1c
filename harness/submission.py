"""A loaded submission: its names, where each was defined, what of it is the student's own."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from harness.definitions import bound_names
from harness.lazy import LazyStore
from harness.loading import Notes
from harness.packages import Placeholder

MAX_NAMES = 400


class Submission:
    """What loading left behind. `lazy` is None in run-all mode."""

    def __init__(self, namespace: dict[str, Any], notes: Notes, folder: Path, lazy: LazyStore | None = None) -> None:
        self.namespace = namespace
        self.notes = notes
        self.folder = folder
        self.lazy = lazy
        self.hidden: frozenset[str] = frozenset()  # names in the namespace that nobody meant to hand in

    def has(self, name: str) -> bool:
        """True if the name is bound, or could be evaluated."""
        return any(name in space for space in self._spaces()) or (self.lazy is not None and name in self.lazy)

    def value(self, name: str) -> Any:
        """The value of a name, helper modules last. Raises KeyError, or what evaluating the name raises."""
        for space in self._spaces():
            if name in space:
                return space[name]
        if self.lazy is None:
            raise KeyError(name)
        return self.lazy.value(name)

    def _spaces(self) -> Iterator[dict[str, Any]]:
        yield self.namespace
        for module in self.helpers():
            yield vars(module)

    def helpers(self) -> list[ModuleType]:
        """Modules imported from the submission's own folder."""
        return [m for m in list(sys.modules.values()) if isinstance(m, ModuleType) and self._inside(m)]

    def _inside(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        return isinstance(file, str) and file.startswith(f"{self.folder}/")

    def is_own(self, value: Any) -> bool:
        """True if a class or function was defined in the submission."""
        name = getattr(value, "__module__", None)
        if name == "__main__":
            return True
        module = sys.modules.get(name) if isinstance(name, str) else None
        return isinstance(module, ModuleType) and self._inside(module)

    def models(self) -> dict[str, type]:
        """The student's own nn.Module classes by name; a class of two names goes by the first."""
        found: dict[str, type] = {}
        for name, value in list(self.namespace.items()):
            if self.kind(value) == "model" and value not in found.values():
                found[name] = value
        return found

    def kind(self, value: Any) -> str | None:
        """`model`, `class`, `function` or `value`; None for what the student only imported."""
        if isinstance(value, ModuleType | Placeholder):
            return None
        if inspect.isclass(value):
            if not self.is_own(value):
                return None
            return "model" if issubclass(value, torch.nn.Module) else "class"
        if inspect.isroutine(value):
            return "function" if self.is_own(value) else None
        return "value"

    def names(self) -> dict[str, str]:
        """Public top-level names with their kinds."""
        found = {
            name: kind
            for name, value in list(self.namespace.items())
            if not name.startswith("_") and name not in self.hidden and (kind := self.kind(value))
        }
        for name in self.lazy.names() if self.lazy else ():
            found.setdefault(name, "value")
        return dict(list(found.items())[:MAX_NAMES])

    def place(self, name: str) -> str:
        """Where a name was defined last ("cell 4"; "submission.py, line 12"), or nothing."""
        found = ""
        for chunk, tree in self.notes.trees:
            for node in tree.body:
                if name in bound_names([node]):
                    found = chunk if chunk.startswith("cell ") else f"{chunk}, line {node.lineno}"
        return found


def remark_redefinitions(notes: Notes) -> None:
    """Say which classes are defined several times with different bodies: only the last one counts."""
    places: dict[str, list[tuple[str, str]]] = {}
    for chunk, tree in notes.trees:
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                where = chunk if chunk.startswith("cell ") else f"{chunk}, line {node.lineno}"
                scope = chunk if chunk.endswith(".py") else ""
                places.setdefault(f"{scope}:{node.name}", []).append((where, ast.dump(node)))
    for key, found in places.items():
        if len({body for _, body in found}) < 2:
            continue
        name = key.split(":")[1]
        listed = ", ".join(where for where, _ in found)
        message = (
            f"The class {name} is defined {len(found)} times with different bodies ({listed}). "
            "The last one counts; give each architecture a name of its own."
        )
        notes.remark("redefined_class", message, found[-1][0])
