"""Parses Python text from strangers. The parser can't be stopped half way, so what would take long is not begun."""

from __future__ import annotations

import ast
import re
import threading
import warnings

MAX_CHARS = 400_000  # its tree takes up to a thousand times that in memory
_MAX_WORK = 2_000_000_000  # characters times braces: about half a second
_MOST_NAMES = 10_000_000  # characters of all that is imported, each under its whole name
_FORMATTED = re.compile(r"(?i)\b(?:f|rf|fr)[\"']")
_MOST_DOTS = 200  # in one dotted name
_NAME = r"""[^\s\d.\\()\[\]{},:;=+\-*/<>!@#$%^&|~'"`?][^\s.\\()\[\]{},:;=+\-*/<>!@#$%^&|~'"`?]*+"""
_DOTTED = re.compile(
    rf"{_NAME}(?:[\s\\]*+\.[\s\\]*+{_NAME})*+"
)  # a word alone fits, too, so that none is looked at twice
_warnings_lock = threading.Lock()  # warnings.catch_warnings changes state all threads share


def parse(text: str) -> ast.Module:
    """The syntax tree. Raises SyntaxError; ValueError, RecursionError or MemoryError for what is too much.

    For every brace of an f-string CPython 3.11 looks through the whole string anew, with all other threads stopped: a
    megabyte of them takes a minute. Of a dotted name it keeps every beginning: one of 200 KB takes ten gigabytes. And
    thousands of names from one module whose own name is very long take gigabytes once each is written out whole.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"it has more than {MAX_CHARS:,} characters")
    if text.count("{") * len(text) > _MAX_WORK and _FORMATTED.search(text):
        raise ValueError("it has too many braces for a text with f-strings")
    if any(found[0].count(".") > _MOST_DOTS for found in _DOTTED.finditer(text)):
        raise ValueError(f"it has a name with more than {_MOST_DOTS} dots")
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    if text.count(",") * len(text) > _MOST_NAMES and _letters_imported(tree) > _MOST_NAMES:
        raise ValueError("its imports have too many long names")
    return tree


def _letters_imported(tree: ast.Module) -> int:
    """How long the whole names of all that is imported from modules are together, but for the names in the modules."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return sum(len(node.names) * (node.level + len(node.module or "")) for node in imports)
