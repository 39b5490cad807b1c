"""The Python text of an upload, for the judge to read: code cells joined, magics blanked. Nothing is run."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from itertools import dropwhile
from typing import Any

from autograder import python_text
from autograder.intake.content import MAX_CONTAINERS

_MOST = 2_000_000  # characters of one file
_MOST_BYTES = 32 << 20  # of all files, beyond which only the main one is read
_UNREAD = "this file was not read: there is too much of all files"
# No two parts of these could share a long run of spaces: that would take quadratic time.
_LINE = re.compile(r"^(\s*)([%!?].*|\S.*\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^([\w\s,.\[\]\"']+=\s*)([!%].*)$")
_CELL = re.compile(r"^\s*%%\s*(\w+)(.*)")
_TIMED = re.compile(r"%time(?:it)?\s(.*)")
_OPTION = re.compile(r"(?:-[a-z]+)?\d*")
# Cell magics whose text is run as Python, or written to a module that can be imported.
_KEPT = frozenset(["time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "python", "python3", "pypy"])
_WRITTEN = frozenset({"writefile", "file"})


def python_files(files: Mapping[str, bytes], main: str) -> list[dict[str, str]]:
    """[{name, code}], the main file first. `code` of a notebook parses wherever its cells do.

    An upload may bring two hundred notebooks. What goes beyond the caps has code that can't be parsed, so that whoever
    looks for something in it sees that it could not be read.
    """
    names = [main, *sorted(name for name in files if name.endswith((".py", ".ipynb")) and name != main)]
    found, room, containers = [], _MOST_BYTES, MAX_CONTAINERS
    for name in names:
        if name not in files:
            continue
        room -= len(files[name])
        containers -= files[name].count(b"[") + files[name].count(b"{") if name.endswith(".ipynb") else 0
        fits = name == main or (room >= 0 and containers >= 0)
        found.append({"name": name, "code": _code(name, files[name]) if fits else _UNREAD})
    return found


def _code(name: str, data: bytes) -> str:
    text = data.decode("utf-8-sig", "replace")
    return (_notebook(text) if name.endswith(".ipynb") else text.replace("\x00", ""))[:_MOST]


def line_counts(files: Mapping[str, bytes], main: str) -> dict[str, int]:
    """Lines by place, as the harness names places: `model.py`, and of a notebook that is the main file `cell 3`."""
    counts = {name: data.count(b"\n") + 1 for name, data in files.items() if name.endswith(".py")}
    if main.endswith(".ipynb") and main in files:
        sources = _sources(files[main].decode("utf-8-sig", "replace"))
        counts |= {f"cell {number}": source.count("\n") + 1 for number, source in enumerate(sources, 1)}
    return counts


def _sources(text: str) -> list[str]:
    """The code cells of a notebook, none if it can't be read."""
    try:
        tree = json.loads(text)
        cells = tree.get("cells")
        if cells is None:  # format 3
            cells = [cell for sheet in tree.get("worksheets") or [] for cell in sheet.get("cells") or []]
        codes = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []
    return [_source(cell) for cell in codes]


def _notebook(text: str) -> str:
    sources = _sources(text)
    if sum(map(len, sources)) > python_text.MAX_CHARS:  # nobody will parse that
        return "\n\n".join(sources)
    return "\n\n".join(map(_cell, sources))


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.replace("\r\n", "\n").replace("\x00", "") if isinstance(source, str) else ""


def _cell(source: str) -> str:
    """A cell as Python: as it is or moved to the left where it parses, else with its magics blanked.

    As it is, too, where nothing helps: it might be run all the same, so that it can't be read must be seen.
    """
    magic = _CELL.match(source)
    if magic is not None:
        if not (magic[1] in _KEPT or (magic[1] in _WRITTEN and ".py" in magic[2])):
            return ""
        source = "\n".join(["", *source.split("\n")[1:]])
    if _parses(source):
        return source
    moved = textwrap.dedent(source)
    blanked = "\n".join(map(_blank, moved.split("\n")))
    return next((text for text in (moved, blanked) if _parses(text)), source)


def _blank(line: str) -> str:
    if (assigned := _ASSIGNED.match(line)) is not None:
        return f"{assigned[1]}{_timed(assigned[2]) or 'None'}"
    magic = _LINE.match(line)
    return line if magic is None else f"{magic[1]}{_timed(magic[2]) or 'pass'}"


def _timed(magic: str) -> str:
    """The Python that %time and %timeit run; nothing for other magics."""
    found = _TIMED.match(magic)
    return " ".join(dropwhile(_OPTION.fullmatch, found[1].split())) if found else ""


def _parses(source: str) -> bool:
    try:
        python_text.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
