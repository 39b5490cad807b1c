"""Values that a process under attack might bring: they lie about what they are, equal everything, or can't be held."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class AlwaysEqual:
    """Looks like an array of six rows and claims to equal, and to be larger than, everything."""

    dtype = np.dtype(np.float64)
    shape = (6, 3)
    ndim = 2
    size = 18

    def __array__(self, *_: Any, **__: Any) -> Any:
        return np.ones((6, 3))

    def __eq__(self, _other: object) -> bool:
        return True

    def __lt__(self, _other: object) -> bool:
        return True

    __gt__ = __le__ = __ge__ = __lt__

    def __hash__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 1.0

    def __len__(self) -> int:
        return 6

    def __iter__(self) -> Any:
        return iter([1.0] * 6)

    def __getitem__(self, _key: object) -> float:
        return 1.0


class WholeNumber(int):
    """An int that equals everything and calls itself something else."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return "735192"


class Text(str):
    """A text that equals every other."""

    __slots__ = ()

    def __eq__(self, _other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Table(np.ndarray):
    """An array that equals every other."""

    def __eq__(self, other: object) -> Any:
        return np.ones(self.shape, dtype=bool)

    __hash__ = None  # type: ignore[assignment]


def nested(depth: int, kind: type = list) -> Any:
    """Lists (or dicts) inside each other."""
    value: Any = [] if kind is list else {}
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


PRETENDERS: list[Any] = [AlwaysEqual(), WholeNumber(3), Text("a"), [AlwaysEqual()] * 6]
LIARS: list[Any] = [
    *PRETENDERS,
    np.ones((6, 3)).view(Table),
    {math.nan: 1.0, "a": math.nan}, {None: None, 3: 4, (1, 2): 3},
    10**400, -(10**400), 10**5000, [10**5000] * 3,
    nested(3000), nested(3000, dict), [nested(60)],
    np.zeros((6, 3), dtype=np.complex64), np.zeros(6, dtype=[("a", "f4")]), np.array([2**63 - 1] * 6),
    np.array([0] * 6, dtype="datetime64[s]"), np.array(["x" * 1000] * 6), np.zeros((1,) * 30), np.zeros((2, 0, 10**6)),
    np.broadcast_to(np.float32(1), (6, 3)), [0.5] * 5000, ["x"] * 5000, "\x00\ud800", b"bytes", {1, 2}, range(3), 3j,
]  # fmt: skip
