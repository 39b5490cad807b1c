"""Makes untrusted text fit to show: no control characters, no tricks with writing direction."""

from __future__ import annotations

import unicodedata

_KEPT = {"\n", "\t"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_HARMLESS_FORMAT = frozenset("\u200c\u200d")  # joiners that ordinary words and emoji need


def is_hidden(char: str) -> bool:
    """True for a character that shows nothing of its own: control, bidi, surrogate, unassigned, line separators."""
    return unicodedata.category(char) in _HIDDEN_CATEGORIES and char not in _HARMLESS_FORMAT


def printable(value: object, limit: int = 20_000) -> str:
    """The value as text without hidden characters (newline and tab stay), cut to `limit` characters."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    cut = len(text) > limit
    kept = "".join(char for char in text[:limit] if char in _KEPT or not is_hidden(char))
    return f"{kept}…" if cut else kept


def one_line(value: object, limit: int = 200) -> str:
    """The value as a single printable line, white space folded."""
    return printable(" ".join(str(value)[: limit * 4].split()), limit)
