"""Finds integers that must stay secret where they are listed: in what a report says, in texts and in files."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray[Any, Any]
LEAST = 8  # integers in a row that may tell something
_LONGEST = 64  # a stretch that is still luck at this length tells nothing
_LUCK = 1e-4  # how often a stretch may stand in an array by chance and still count
_NO_INTEGER = -(2**62) - 1  # stands for other numbers in a row, so that they part what is around them
_MOST_TEXT = 4_000_000  # characters
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w|\.\d)")
_DTYPES = ("i1", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8", "<f2", "<f4", "<f8")
_FACTORS = np.array([1_000_003**power % 2**64 for power in range(LEAST)], dtype=np.uint64)


class Secret:
    """A secret array of integers. `telling` is False if it is too short, constant or sorted: then nothing is found."""

    def __init__(self, array: Array, least: int = LEAST) -> None:
        self.flat = np.ascontiguousarray(array.reshape(-1)).astype(np.int64)
        self.telling = self.flat.size >= least and not _sorted(self.flat)
        if not self.telling:
            return
        self._least = least
        self._bytes = self.flat.tobytes()
        self._grams = np.unique(_grams(self.flat))
        values, counts = np.unique(self.flat, return_counts=True)
        self._shares = dict(zip(values.tolist(), (counts / self.flat.size).tolist(), strict=True))

    def listed_in(self, found: Iterable[Array]) -> bool:
        """True if a stretch of the array stands in one of the rows of integers; see `rows`."""
        return self.telling and any(self._stretch_in(row) for row in found)

    def bytes_in(self, content: bytes) -> bool:
        """True if the content holds the whole array, as numbers of any usual kind."""
        if not self.telling:
            return False
        for kind in _DTYPES:
            with np.errstate(over="ignore"):
                cast = self.flat.astype(kind)
            if np.array_equal(cast, self.flat) and cast.tobytes() in content:
                return True
        return False

    def _stretch_in(self, row: Array) -> bool:
        if row.size < self._least:
            return False
        steps = np.sign(np.diff(sliding_window_view(row, LEAST), axis=1))
        mixed = (steps > 0).any(axis=1) & (steps < 0).any(axis=1)
        starts = np.flatnonzero(mixed & np.isin(_grams(row), self._grams))
        return any(self._tells(row[start : start + _LONGEST]) for start in starts)

    def _tells(self, row: Array) -> bool:
        """True if the row begins with a stretch of the array that is too long for luck."""
        luck = float(self.flat.size)
        for length, value in enumerate(row.tolist(), start=1):
            luck *= self._shares.get(value, 0.0)
            if luck == 0.0:
                return False
            if length >= self._least and luck < _LUCK:
                return row[:length].tobytes() in self._bytes
        return False


def secrets(arrays: Mapping[str, Array], least: int = LEAST) -> dict[str, Secret]:
    """Those of the arrays that hold integers and tell something."""
    made = {name: Secret(array, least) for name, array in arrays.items() if array.dtype.kind in "iub"}
    return {name: secret for name, secret in made.items() if secret.telling}


def rows(text: str) -> Iterator[Array]:
    """Rows of integers in a text: all its numbers in order, each second one, columns of its lines, digits in a row."""
    text = text[:_MOST_TEXT]
    lines = [[_integer(word) for word in _NUMBER.findall(line)] for line in text.splitlines()]
    every = np.array([number for line in lines for number in line], dtype=np.int64)
    yield every
    yield every[::2]
    yield every[1::2]
    block: list[list[int]] = []
    for line in [*(line for line in lines if line), []]:
        if block and len(line) != len(block[0]):
            if len(block) >= LEAST and len(block[0]) > 1:
                yield from np.array(block, dtype=np.int64).T.copy()
            block = []
        block.append(line)
    for digits in re.findall(rf"\d{{{LEAST},}}", text):
        yield np.array([int(digit) for digit in digits], dtype=np.int64)


def packed_arrays(path: str, content: bytes) -> list[Array]:
    """The arrays of a .npy or .npz file; none if it can't be read without running what is in it."""
    if not path.endswith((".npy", ".npz")):
        return []
    try:
        read = np.load(io.BytesIO(content), allow_pickle=False)
        return [read] if isinstance(read, np.ndarray) else [read[name] for name in read.files]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        return []


def _integer(word: str) -> int:
    """The number a word writes, such as 3, 3.0 or 3e0; a stand-in for what is no integer of 63 bits."""
    if word.lstrip("-").isdigit():
        return int(word) if len(word) < 19 else _NO_INTEGER
    number = float(word)
    return int(number) if number.is_integer() and abs(number) < 2**53 else _NO_INTEGER


def _grams(row: Array) -> Array:
    """A number for each LEAST integers in a row, equal for equal ones."""
    grams: Array = (sliding_window_view(row.view(np.uint64), LEAST) * _FACTORS).sum(axis=1)
    return grams


def _sorted(row: Array) -> bool:
    steps = np.diff(row)
    return bool((steps >= 0).all() or (steps <= 0).all())
