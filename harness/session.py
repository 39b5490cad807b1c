"""What one process remembers between requests, and the register of operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import BadRequest, HarnessError, Kind
from harness.resolve import Resolved
from harness.submission import Submission
from harness.wire import Array

Emit = Callable[[str, Mapping[str, Any]], None]
Operation = Callable[["Session", "Request"], Mapping[str, Any]]

OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    """Register a function as the operation of this name."""

    def register(function: Operation) -> Operation:
        if name in OPERATIONS:
            raise ValueError(f"the operation {name} is registered twice")
        OPERATIONS[name] = function
        return function

    return register


class Request:
    """The arguments of one request, read by name and type. Raises BadRequest for what isn't as docs/wire.md says."""

    def __init__(self, arguments: Mapping[str, Any], emit: Emit) -> None:
        self._arguments = arguments
        self.emit = emit

    def get(self, name: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """An argument of this type; `default` where it is absent or null."""
        value = self._arguments.get(name)
        if value is None:
            if default is ...:
                raise BadRequest(f"the argument {name} is missing")
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise BadRequest(f"the argument {name} has the wrong type")
        return value

    def text(self, name: str, default: Any = ...) -> Any:
        """A text argument."""
        return self.get(name, str, default)

    def whole(self, name: str, default: Any = ..., least: int = 0) -> Any:
        """A whole number not below `least`."""
        value = self.get(name, int, default)
        if value is not None and value < least:
            raise BadRequest(f"the argument {name} must be at least {least}")
        return value

    def number(self, name: str, default: Any = ...) -> float:
        """A number."""
        return float(self.get(name, (int, float), default))

    @property
    def pad(self) -> int | None:
        """The token id of padding, None where the request names none."""
        value: int | None = self.get("pad", int, None)
        return value

    @property
    def seed(self) -> int:
        """The seed of the request, 0 where it names none."""
        return int(self.get("seed", int, 0))


@dataclass(frozen=True, slots=True)
class Origin:
    """How a model was built: the entry's name, the arguments as they were sent, the seed."""

    entry: str
    arguments: Mapping[str, Any]
    seed: int


@dataclass(slots=True)
class Session:
    """The state of one student process."""

    folder: Path
    submission: Submission | None = None
    arrays: dict[str, Array] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)  # of models that nothing was done with yet
    trained: dict[str, Any] = field(default_factory=dict)  # see handover.py
    entries: dict[str, Resolved] = field(default_factory=dict)

    def loaded(self) -> Submission:
        """The submission. Raises BadRequest before `load`."""
        if self.submission is None:
            raise BadRequest("nothing is loaded yet")
        return self.submission

    def array(self, name: str) -> Array:
        """An array sent with `put`. Raises HarnessError(missing)."""
        if name not in self.arrays:
            raise HarnessError(Kind.MISSING, f"no array named {name!r} was sent")
        return self.arrays[name]

    def model(self, handle: str) -> Any:
        """A constructed model. Raises HarnessError(missing)."""
        if handle not in self.models:
            raise HarnessError(Kind.MISSING, f"there is no model {handle!r}")
        self.origins.pop(handle, None)
        return self.models[handle]

    def entry(self, name: str) -> Resolved:
        """A resolved entry point that was found. Raises HarnessError(missing) with the reason, BadRequest."""
        if name not in self.entries:
            raise BadRequest(f"the entry {name!r} was not resolved yet")
        entry = self.entries[name]
        if not entry.found:
            raise HarnessError(Kind.MISSING, entry.message)
        return entry

    def keep(self, model: Any, origin: Origin) -> str:
        """Store a model that was just built, return its handle."""
        handle = f"m{len(self.models) + 1}"
        self.models[handle] = model
        self.origins[handle] = origin
        return handle
