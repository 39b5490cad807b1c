"""What a student process says, made harmless: the right types, short texts, known names."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.model import Remark

_WHERE = re.compile(r"^(cell \d{1,4}|[\w./ -]{1,80}\.py), line (\d{1,6})$")
_MAX_PIXELS = 25_000_000
_MOST_LINES = 4096  # 12 bits
_NODE_BYTES = 80
KNOWN_ERRORS = frozenset(
    {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
    | {"OutOfMemoryError", "AcceleratorError"}
)
KNOWN_TYPES = frozenset({"Tensor", "ndarray", "tuple", "list", "dict", "float", "int", "NoneType", "str"})


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: Any, most: int) -> list[Mapping[str, Any]]:
    """The mappings in a list, `most` of them at most; nothing if it is no list."""
    return [row for row in value[:most] if isinstance(row, Mapping)] if isinstance(value, list) else []


def text(value: Any, longest: int) -> str:
    """The value if it is text, cut; else empty."""
    return value[:longest] if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """The value if it is a number (NaN and infinity are), else None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def shape(value: Any) -> list[int] | None:
    """The value if it is a shape of at most 8 whole numbers from 0, else None."""
    if not isinstance(value, list) or len(value) > 8:
        return None
    return list(value) if all(type(n) is int and 0 <= n < 1 << 48 for n in value) else None


def remarks(value: Any) -> tuple[Remark, ...]:
    """Remarks on loading, 50 at most."""
    return tuple(
        Remark(text(r.get("code"), 64), text(r.get("message"), 500), text(r.get("where"), 100)) for r in rows(value, 50)
    )


def entries(value: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Entry point → `found` (the name it was found under, or empty), `how` and `message`."""
    rows = {name: mapping(row) for name, row in value.items()}
    return {name: {key: text(row.get(key), 1000) for key in ("found", "how", "message")} for name, row in rows.items()}


def figures(value: Any) -> tuple[bytes, ...]:
    """PNG images, 8 at most and of at most 2 MB each: every attempt keeps its own."""
    listed = value if isinstance(value, list) else []
    pngs = [a.tobytes() for a in listed[:8] if isinstance(a, np.ndarray) and a.dtype == np.uint8 and a.size < 2 << 20]
    return tuple(png for png in pngs if _is_picture(png))


def _is_picture(png: bytes) -> bool:
    """True for a PNG whose header names a size that a browser can show: few bytes can stand for gigabytes."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR":
        return False
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    return 0 < width * height <= _MAX_PIXELS


def is_real_place(where: str, lines: Mapping[str, int]) -> bool:
    """True if `where` names one of these lines, and they are so few that it can't carry much else.

    lines: from intake.code.line_counts. A process that has seen hidden inputs may name whichever it likes.
    """
    match = _WHERE.match(where)
    return match is not None and sum(lines.values()) <= _MOST_LINES and 1 <= int(match[2]) <= lines.get(match[1], 0)


def weight(tree: Any) -> int:
    """About how many bytes an answer takes in the judge's memory."""
    if isinstance(tree, np.ndarray):
        return int(tree.nbytes) + _NODE_BYTES
    if isinstance(tree, Mapping):
        return _NODE_BYTES + sum(_NODE_BYTES + weight(value) for value in tree.values())
    if isinstance(tree, list | tuple):
        return _NODE_BYTES + sum(map(weight, tree))
    return _NODE_BYTES + (len(tree) if isinstance(tree, str | bytes) else 0)
