"""Top-level assignments that run only when somebody asks for the name.

Python looks a global up in the module, then in its `__builtins__`. Giving a module a `__builtins__` that knows how to
make missing names turns "evaluate when needed" into an ordinary name lookup, in functions and class bodies alike.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from harness.definitions import Sorter, Unit, called_names, trains
from harness.errors import HarnessError, Kind

Execute = Callable[[Unit], None]


class TopLevelTraining(HarnessError):
    """A name whose value only the student's top-level training could give."""

    def __init__(self, name: str, line: str) -> None:
        message = (
            f"`{name}` gets its value from top-level training ({line}), which is not run when a submission is loaded. "
            "Hand it to the function as an argument."
        )
        super().__init__(Kind.EXCEPTION, message, "NameError")


class LazyBuiltins(dict[str, Any]):
    """The real builtins plus a last resort for names nobody has bound."""

    def __init__(self, store: LazyStore) -> None:
        super().__init__(vars(builtins))
        self._store = store

    def __missing__(self, name: str) -> Any:
        return self._store.value(name)


class _Value:
    """A value a name had before a lazy assignment took the name over."""

    def __init__(self, value: Any) -> None:
        self.value = value


class LazyStore:
    """The lazy assignments of one module. A name's last one counts; one that fails falls back to an earlier one."""

    def __init__(self, namespace: dict[str, Any], execute: Execute, sorter: Sorter) -> None:
        self._namespace = namespace
        self._execute = execute
        self._sorter = sorter
        self._layers: dict[str, list[Unit | _Value]] = {}
        self._busy: dict[str, int] = {}
        self._failed: dict[str, BaseException] = {}
        namespace["__builtins__"] = LazyBuiltins(self)

    def add(self, unit: Unit) -> None:
        """Remember an assignment; its names are forgotten until somebody asks for them."""
        for name in unit.names:
            layers = self._layers.setdefault(name, [])
            if name in self._namespace:
                layers.append(_Value(self._namespace.pop(name)))
            layers.append(unit)

    def forget(self, name: str) -> None:
        """The name was bound for good by a later statement."""
        self._layers.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._layers

    def names(self) -> list[str]:
        """Names that could be evaluated."""
        return list(self._layers)

    def value(self, name: str) -> Any:
        """Evaluate a name, bind it and return it. Raises KeyError if unknown, else what the student's code raises."""
        layers = self._layers.get(name)
        if not layers:
            raise KeyError(name)
        if name in self._failed:
            raise self._failed[name]
        top = self._busy.get(name, len(layers)) - 1
        failure: BaseException | None = None
        for index in range(top, -1, -1):
            try:
                return self._evaluate(name, layers[index], index)
            except Exception as error:
                failure = failure or error
        if failure is None:
            raise KeyError(name)
        if isinstance(failure, KeyError):  # a KeyError would read as "no such name"
            failure = HarnessError(Kind.EXCEPTION, f"evaluating `{name}` raised KeyError: {failure}", "KeyError")
        if name not in self._busy:
            self._failed[name] = failure
        raise failure

    def _evaluate(self, name: str, layer: Unit | _Value, index: int) -> Any:
        if isinstance(layer, _Value):
            self._namespace[name] = layer.value
            return layer.value
        if trains(layer.node) or called_names(layer.node) & self._sorter.trainers:
            raise TopLevelTraining(name, ast.unparse(layer.node).split("\n")[0][:80])
        before = self._busy.get(name)
        bound = set(self._namespace)
        self._busy[name] = index
        try:
            self._execute(layer)
        except BaseException:
            self._namespace.pop(name, None)
            raise
        finally:
            if before is None:
                del self._busy[name]
            else:
                self._busy[name] = before
        self._drop_outdated(layer, name, bound)
        return self._namespace[name]

    def _drop_outdated(self, unit: Unit, name: str, bound: set[str]) -> None:
        """`a, b = …` also bound b; if a later statement gives b its value, let b be asked for again."""
        for other in unit.names:
            last = self._layers.get(other, [unit])[-1]
            if other != name and last is not unit and other not in bound:
                self._namespace.pop(other, None)
