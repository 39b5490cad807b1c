"""Walks an expected tree beside an untrusted answer, leaf by leaf, and compares numbers. Never raises on the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from autograder.checks._values import is_clean, shape_text
from autograder.checks.base import MAX_VALUES, Array, as_array
from autograder.model import Observation

_MOST_LEAVES = 10_000


@dataclass(frozen=True)
class Tolerance:
    """How equal is equal: |got - expected| ≤ atol + rtol · the largest expected value of that array."""

    rtol: float
    atol: float

    def excess(self, got: Array, expected: Array) -> float:
        """The largest difference as a multiple of what is allowed (1: just allowed); NaN or infinity where none is.

        Shapes are equal. An infinite expected value must be met exactly; NaN meets nothing.
        """
        infinite = np.isinf(expected)
        if np.isnan(got).any() or np.isnan(expected).any() or not np.array_equal(got[infinite], expected[infinite]):
            return float("nan")
        finite, wanted = got[~infinite], expected[~infinite]
        if not wanted.size:
            return 0.0
        allowed = self.atol + self.rtol * float(np.abs(wanted).max())
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            gap = float(np.abs(finite - wanted).max())
            return gap / allowed if allowed > 0 else (0.0 if gap == 0 else float("inf"))

    def close(self, got: Array, expected: Array) -> bool:
        """True if shapes are equal and every value is within the tolerance."""
        return got.shape == expected.shape and self.excess(got, expected) <= 1.0


@dataclass(frozen=True)
class Telling:
    """Whether words may hold lengths and shapes: of what was expected, of what came back."""

    expected: bool = True
    got: bool = True

    @classmethod
    def of(cls, observation: Observation, *, hidden: bool) -> Self:
        """What may be told of an observation. hidden: its right answers are. A tainted process chooses its shapes."""
        return cls(not hidden, not hidden and is_clean(observation))


@dataclass(frozen=True)
class Leaf:
    """One place of the expected tree. got: what stands there in the answer; trouble: why nothing can stand there."""

    path: str
    expected: Any
    got: Any = None
    trouble: str = ""


def leaves(
    expected: Any, got: Any, path: str = "", *, more_keys: bool = False, telling: Telling = Telling()
) -> Iterator[Leaf]:
    """Every leaf of the expected tree with what the answer has there. The expected tree is the judge's own.

    Members of a tuple are leaves of their own; a list of numbers is one, like an array. more_keys: the answer's
    dictionaries may have keys that are not expected. telling: what a leaf's trouble may say.
    """
    if isinstance(expected, Mapping):
        wanted = {str(key): value for key, value in expected.items()}
        if trouble := _keys(wanted, got, more_keys, telling):
            yield Leaf(path, expected, got, trouble)
            return
        for key, value in wanted.items():
            yield from leaves(value, got[key], f"{path}['{key}']", more_keys=more_keys, telling=telling)
    elif isinstance(expected, tuple) or (isinstance(expected, list) and plain_array(expected) is None):
        parts = _parts(got)
        if parts is None or len(parts) != len(expected):
            yield Leaf(path, expected, got, _count(len(expected), got, parts, telling))
            return
        for i, (value, part) in enumerate(zip(expected, parts, strict=True)):
            yield from leaves(value, part, f"{path}[{i}]", more_keys=more_keys, telling=telling)
        if not parts:
            yield Leaf(path, None, None)
    else:
        yield Leaf(path, expected, got)


def _keys(wanted: Mapping[str, Any], got: Any, more_keys: bool, telling: Telling) -> str:
    """What is wrong with the keys of an answer that should be a dictionary; empty if nothing."""
    if type(got) is not dict:
        return f"a dictionary was expected, got {kind_of(got, told=telling.got)}"
    counted = telling.expected and telling.got
    if missing := [key for key in wanted if key not in got]:
        return f"{len(missing)} of {len(wanted)} keys are missing" if counted else "keys are missing"
    if len(got) > len(wanted) and not more_keys:
        return f"there are {len(got)} keys, {len(wanted)} were expected" if counted else "there are too many keys"
    return ""


def _count(wanted: int, got: Any, parts: list[Any] | None, telling: Telling) -> str:
    """That an answer has another number of members than was expected, or none at all."""
    words = f"{wanted} values were expected" if telling.expected else "several values were expected"
    if parts is None:
        return f"{words}, got {kind_of(got, told=telling.got)}"
    if not telling.expected:
        return "another number of values was expected"
    return f"{words}, got {len(parts) if telling.got else 'another number'}"


def _parts(got: Any) -> list[Any] | None:
    """The members of a list, or the rows of an array."""
    if type(got) is list:
        return got
    if isinstance(got, np.ndarray) and got.ndim > 0 and got.dtype.kind in "fiub" and len(got) <= _MOST_LEAVES:
        return list(np.array(got))
    return None


def plain_array(value: Any) -> Array | None:
    """A number, an array or a rectangle of lists of numbers as float64; None if it is none. Never raises."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.size:
            return as_array(value)
        # A new array of that shape would take memory by its other dimensions; a view of no number takes none.
        return np.zeros(0).reshape(value.shape) if value.dtype.kind in "fiub" else None
    if _is_number(value):
        return np.asarray(float(value))
    sizes: list[int] = []
    size, rest = 1, value
    while type(rest) in (list, tuple) and rest and len(sizes) < 8:
        size *= len(rest)
        sizes.append(len(rest))
        rest = rest[0]
    if not sizes or size > MAX_VALUES:
        return None
    flat: list[float] = []
    return np.array(flat).reshape(sizes) if _gather(value, sizes, flat) else None


def _gather(value: Any, sizes: list[int], flat: list[float]) -> bool:
    if not sizes:
        if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 and value.dtype.kind in "fiub":
            value = value.item()
        if not _is_number(value):
            return False
        flat.append(float(value))
        return True
    if type(value) not in (list, tuple) or len(value) != sizes[0]:
        return False
    return all(_gather(part, sizes[1:], flat) for part in value)


def _is_number(value: Any) -> bool:
    return type(value) in (bool, float) or (type(value) is int and abs(value) < 1 << 1000)


def is_exact(expected: Any) -> bool:
    """True if the expected value is whole by type, so that no tolerance applies."""
    if isinstance(expected, np.ndarray | np.generic):
        return expected.dtype.kind in "iub"
    if isinstance(expected, list | tuple):
        return all(is_exact(part) for part in expected)
    return isinstance(expected, int)


def kind_of(value: Any, *, told: bool = True) -> str:
    """What a value is, in words that hold no value. told: with its length or shape."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        if not value.size:
            return "an array without values"  # whose shape could say anything
        shape = f" of shape {shape_text(value.shape)}" if told else ""
        return f"an array{shape}" if value.ndim else "a number"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "text", dict: "a dictionary"}
    if type(value) in (list, tuple):
        return f"a list of {len(value)}" if told else "a list"
    return names.get(type(value), "something that is no value")
