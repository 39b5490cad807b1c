"""The Python text of an upload, for the judge to read: code cells joined, magics blanked. Nothing is run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from autograder import python_text

_MOST = 2_000_000  # characters of one file
_LINE = re.compile(r"^(\s*)([%!?].*|\S.*\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^([\w\s,.\[\]\"']+=\s*)[!%].*$")  # no two parts that could share a long run of spaces
_CELL = re.compile(r"^\s*%%\s*(\w+)")
_KEPT = {"time", "timeit", "capture", "prun", "memit"}  # cell magics that run the cell's Python


def python_files(files: Mapping[str, bytes], main: str) -> list[dict[str, str]]:
    """[{name, code}], the main file first. `code` of a notebook parses wherever its cells do."""
    names = [main, *sorted(name for name in files if name.endswith(".py") and name != main)]
    return [{"name": name, "code": _code(name, files[name])} for name in names if name in files]


def _code(name: str, data: bytes) -> str:
    text = data.decode("utf-8-sig", "replace")
    return (_notebook(text) if name.endswith(".ipynb") else text.replace("\x00", ""))[:_MOST]


def _notebook(text: str) -> str:
    try:
        tree = json.loads(text)
        cells = tree.get("cells")
        if cells is None:  # format 3
            cells = [cell for sheet in tree.get("worksheets") or [] for cell in sheet.get("cells") or []]
        codes = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ""
    sources = [_source(cell) for cell in codes]
    if sum(map(len, sources)) > python_text.MAX_CHARS:  # nobody will parse that
        return "\n\n".join(sources)
    return "\n\n".join(map(_cell, sources))


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.replace("\r\n", "\n").replace("\x00", "") if isinstance(source, str) else ""


def _cell(source: str) -> str:
    """A cell as Python: as it is where it parses, else with its magics blanked; empty if nothing helps."""
    magic = _CELL.match(source)
    if magic is not None:
        if magic[1] not in _KEPT:
            return ""
        source = "\n".join(["", *source.split("\n")[1:]])
    if _parses(source):
        return source
    blanked = "\n".join(_blank(line) for line in source.split("\n"))
    return blanked if _parses(blanked) else ""


def _blank(line: str) -> str:
    if (assigned := _ASSIGNED.match(line)) is not None:
        return f"{assigned[1]}None"
    magic = _LINE.match(line)
    return line if magic is None else f"{magic[1]}pass"


def _parses(source: str) -> bool:
    try:
        python_text.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
