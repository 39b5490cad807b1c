"""What a data set's facts keep back from students, and the files of a data set that students can read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from autograder.proof.listings import Secret
from autograder.specs.dataset import DataSet

Array = np.ndarray[Any, Any]
FEW = 8  # numbers in an array below which equality tells nothing
MOST_OF_FILE = 32 << 20  # bytes that are read of one file of a folder …
MOST_OF_FOLDERS = 256 << 20  # … and of all of them, the smallest first: answers take less room than weights
IN_WORDS, IN_FILE = 5, 10  # digits of a number that is no chance in what people wrote, and among a million in a file
_MOST_DIGITS = 15
_SHARE_OF = 1000  # a share of so many things or fewer may come out twice by itself
_MOST_NUMBERS = 10_000  # of one array in a fact
_ROOM = 1e-6
_WRITTEN = re.compile(r"(?<![\w.])\d+\.\d+(?:[eE][-+]?\d+)?")


class Telling:
    """Floats that nobody comes upon by chance: of five digits or more, and no share of few things (an accuracy)."""

    def __init__(self, numbers: Iterator[float]) -> None:
        self.numbers = list(dict.fromkeys(abs(number) for number in numbers if _is_telling(number)))
        self._more = math.ceil(math.log10(max(len(self.numbers), 1)))  # of many numbers one is met more easily
        self._rounded: dict[int, set[str]] = {}

    def written_in(self, text: str, least: int) -> str:
        """The first number in a text that is one of them, to `least` digits or more (more, if they are many)."""
        for match in _WRITTEN.finditer(text):
            digits = min(len(match[0].lower().split("e")[0].replace(".", "").lstrip("0")), _MOST_DIGITS)
            if digits >= least + self._more and _rounded(float(match[0]), digits) in self._to(digits):
                return match[0]
        return ""

    def _to(self, digits: int) -> set[str]:
        if digits not in self._rounded:
            self._rounded[digits] = {_rounded(number, digits) for number in self.numbers}
        return self._rounded[digits]


def rows_of(data: DataSet) -> dict[str, Array]:
    """Arrays and lists of numbers in the facts, by dotted name; those that tell nothing are left out.

    These are rows of fewer than FEW numbers, sorted whole numbers, and floats that are all equal or evenly spaced.
    """
    return {name: row for name, row in _rows(data.facts, "facts") if _tells(row)}


def floats_of(data: DataSet) -> dict[str, Telling]:
    """The telling floats of each fact that has any."""
    found = {f"facts.{name}": Telling(_floats(value)) for name, value in data.facts.items()}
    return {name: telling for name, telling in found.items() if telling.numbers}


def kinds_of(row: Array) -> tuple[Array, ...]:
    """The row and, if its floats are of double precision, the same in single precision: a list has neither."""
    if row.dtype != np.float64:
        return (row,)
    with np.errstate(over="ignore"):
        return row, row.astype(np.float32)


def files_of(data: DataSet) -> Iterator[tuple[str, bytes]]:
    """Path and content of what lies beside a submission; of `folders` no more than MOST_OF_FILE and MOST_OF_FOLDERS."""
    yield from data.files.items()
    found = [(place, folder, p) for place, folder in sorted(data.folders.items()) for p in sorted(folder.rglob("*"))]
    left = MOST_OF_FOLDERS
    for place, folder, path in sorted(
        (one for one in found if one[2].is_file()), key=lambda one: one[2].stat().st_size
    ):
        with path.open("rb") as file:
            content = file.read(min(MOST_OF_FILE, left))
        left -= len(content)
        yield f"{place}/{path.relative_to(folder).as_posix()}", content


def _rows(tree: Any, name: str) -> Iterator[tuple[str, Array]]:
    if isinstance(tree, np.ndarray):
        # Flags as whole numbers: numpy subtracts no flags.
        yield name, tree.astype(np.uint8) if tree.dtype.kind == "b" else tree
    elif isinstance(tree, Mapping):
        yield from chain.from_iterable(_rows(value, f"{name}.{key}") for key, value in tree.items())
    elif isinstance(tree, list | tuple):
        row = _as_row(tree)
        members = ((f"{name}[{place}]", value) for place, value in enumerate(tree)) if row is None else [(name, row)]
        yield from chain.from_iterable(_rows(value, place) for place, value in members)


def _as_row(tree: Sequence[Any]) -> Array | None:
    """A list of numbers, or of lists of them of one length, as an array; None for any other."""
    try:
        row = np.asarray(tree)
    except (ValueError, OverflowError):  # lists of several lengths
        return None
    return row if row.dtype.kind in "fiub" else None


def _tells(row: Array) -> bool:
    if row.dtype.kind in "iu":
        return Secret(row, FEW).telling
    if row.dtype.kind != "f" or row.size < FEW:
        return False
    flat = row.reshape(-1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return not bool(np.ptp(np.diff(flat)) <= _ROOM * np.abs(flat).max())


def _floats(tree: Any) -> Iterator[float]:
    if isinstance(tree, float | np.floating):
        yield float(tree)
    elif isinstance(tree, np.ndarray) and tree.dtype.kind == "f":
        yield from (float(value) for value in tree.reshape(-1)[:_MOST_NUMBERS])
    elif isinstance(tree, Mapping):
        yield from chain.from_iterable(_floats(value) for value in tree.values())
    elif isinstance(tree, list | tuple):
        yield from chain.from_iterable(_floats(value) for value in tree)


def _is_telling(number: float) -> bool:
    if not math.isfinite(number) or len(_rounded(number, 6).lstrip("-").split("e")[0].rstrip("0")) <= IN_WORDS:
        return False  # the dot counts as well
    return abs(float(Fraction(number).limit_denominator(_SHARE_OF)) - number) > _ROOM * abs(number)


def _rounded(number: float, digits: int) -> str:
    return f"{number:.{digits - 1}e}"
