"""Parses Python text from strangers. The parser can't be stopped half way, so what would take long is not begun."""

from __future__ import annotations

import ast
import re
import threading
import warnings

MAX_CHARS = 400_000  # its tree takes up to a thousand times that in memory
_MAX_WORK = 2_000_000_000  # characters times braces: about half a second
_FORMATTED = re.compile(r"(?i)\b(?:f|rf|fr)[\"']")
_warnings_lock = threading.Lock()  # warnings.catch_warnings changes state all threads share


def parse(text: str) -> ast.Module:
    """The syntax tree. Raises SyntaxError; ValueError, RecursionError or MemoryError for what is too much.

    For every brace of an f-string CPython 3.11 looks through the whole string anew, with all other threads stopped: a
    megabyte of them takes a minute.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"it has more than {MAX_CHARS:,} characters")
    if text.count("{") * len(text) > _MAX_WORK and _FORMATTED.search(text):
        raise ValueError("it has too many braces for a text with f-strings")
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
