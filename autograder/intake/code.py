"""The Python text of an upload, for the judge to read: code cells joined, magics blanked. Nothing is run."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autograder import python_text
from autograder.intake.content import MAX_CONTAINERS

_MOST = 2_000_000  # characters of one file
_MOST_BYTES = 32 << 20  # of all files, beyond which only the main one is read
_MOST_CODE = 800_000  # characters of all files, beyond which nobody reads on and no cell is parsed for nothing
_UNREAD = "this file was not read: there is too much of all files"
_UNREAD_NOTEBOOK = "this notebook can not be read"
_UNREAD_CELL = "this cell is no Python"
# No two parts of these could share a long run of spaces: that would take quadratic time.
_LINE = re.compile(r"^(\s*)([%!].*|\?{1,2}\s*[\w.*%]+\s*(?:;\s*)?|[\w.*%\[\]]+\s*\?{1,2}\s*(?:;\s*)?)$")
_ASSIGNED = re.compile(r"^([\w\s,.\[\]\"']+=\s*)([!%].*)$")
_CELL = re.compile(r"^\s*%%\s*(\w+)(.*)")
_MAGIC = re.compile(r"%+(\w+)(.*)")
_OPTION = re.compile(r"(?:-[a-zA-Z]+)?\d*")
_TIMED = frozenset({"time", "timeit", "prun"})
_WITH_WORD = frozenset({"-l", "-s", "-T", "-D"})  # options of %prun that a word follows
# A file that is read, as %run takes it; without an ending it is a module.
_RUN = re.compile(r"(?:-[bdeinpt] +)*(?!-)[\w/-]*(?:\.(?:py|ipynb))?(?= |$)")
_PYLAB = "import numpy as np; import matplotlib.pyplot as plt; from pylab import *"
# What a module says of its encoding. Others than these can turn what reads as a comment into code.
_CODING = re.compile(rb"coding[:=][ \t]*([-\w.]+)")
_PLAIN = re.compile(r"u8|utf-?8(-.*)?|(us-)?ascii|latin-?1(-.*)?|iso-?8859-1?\d(-.*)?|(cp|windows-)1252")
_OTHER_CODING = "this file has an encoding that is not read"
# Cell magics whose text is run as Python, or written to a module that can be imported.
_KEPT = frozenset(["time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "python", "python3", "pypy"])
_WRITTEN = frozenset({"writefile", "file"})


def python_files(files: Mapping[str, bytes], main: str) -> list[dict[str, str]]:
    """[{name, code}], the main file first. `code` of a notebook parses wherever its cells do.

    An upload may bring two hundred notebooks. What goes beyond the caps has code that can't be parsed, so that whoever
    looks for something in it sees that it could not be read.
    """
    names = [main, *sorted(name for name in files if name.lower().endswith((".py", ".ipynb")) and name != main)]
    found, room, containers, letters = [], _MOST_BYTES, MAX_CONTAINERS, 0
    for name in names:
        if name not in files:
            continue
        room -= len(files[name])
        containers -= files[name].count(b"[") + files[name].count(b"{") if name.lower().endswith(".ipynb") else 0
        fits = name == main or (room >= 0 and containers >= 0 and letters <= _MOST_CODE)
        code = _code(name, files[name]) if fits else _UNREAD
        letters += len(code)
        found.append({"name": name, "code": code})
    return found


def _code(name: str, data: bytes) -> str:
    if name.lower().endswith(".py") and not _is_plain(data):
        return _OTHER_CODING
    text = data.decode("utf-8-sig", "replace")
    return (_notebook(text) if name.lower().endswith(".ipynb") else text.replace("\x00", ""))[:_MOST]


def _is_plain(module: bytes) -> bool:
    """True unless the first two lines, where Python looks for it, name an encoding in which ASCII is something else."""
    for line in module.split(b"\n", 2)[:2]:
        named = _CODING.findall(line, line.find(b"#")) if b"#" in line else []
        if not all(_PLAIN.fullmatch(name.decode("ascii").lower().replace("_", "-")) for name in named):
            return False
    return True


def line_counts(files: Mapping[str, bytes], main: str) -> dict[str, int]:
    """Lines by place, as the harness names places: `model.py`, and of a notebook that is the main file `cell 3`."""
    counts = {name: data.count(b"\n") + 1 for name, data in files.items() if name.endswith(".py")}
    if main.endswith(".ipynb") and main in files:
        sources = _sources(files[main].decode("utf-8-sig", "replace")) or []
        counts |= {f"cell {number}": source.count("\n") + 1 for number, source in enumerate(sources, 1)}
    return counts


def _sources(text: str) -> list[str] | None:
    """The code cells of a notebook, those that the harness would find; None if it can't be read."""
    try:
        tree = json.loads(text)
        cells = tree.get("cells") or [c for sheet in tree.get("worksheets") or [] for c in sheet.get("cells") or []]
        codes = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    return [_source(cell) for cell in codes]


def _notebook(text: str) -> str:
    sources = _sources(text)
    if sources is None:  # nested as deeply as can just be read, it may be read elsewhere
        return _UNREAD_NOTEBOOK
    if sum(map(len, sources)) > python_text.MAX_CHARS:  # nobody will parse that
        return "\n\n".join(sources)
    return "\n\n".join(map(_cell, sources))


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "") if isinstance(source, str) else ""


def _cell(source: str) -> str:
    """A cell as Python: as it is or moved to the left where it parses, else with its magics as Python.

    Where nothing helps it might be run all the same, so that it can't be read must be seen: by a line of its own before
    it, because the cell may begin a string that another one ends, and all between them would be text.
    """
    magic = _CELL.match(source)
    if magic is not None:
        if not (magic[1] in _KEPT or (magic[1] in _WRITTEN and any(mark in magic[2] for mark in (".py", "$", "{")))):
            return ""
        source = "\n".join(["", *source.split("\n")[1:]])
        if magic[1] in _WRITTEN and not _is_plain(source.lstrip("\n").encode("utf-8", "replace")):
            return _OTHER_CODING
    moved = textwrap.dedent(source)
    for text in dict.fromkeys((source, moved)):
        if _tree(text) is not None:
            return text
    return _without_magics(moved.split("\n")) or f"{_UNREAD_CELL}\n{source}"


def _without_magics(lines: Sequence[str]) -> str:
    """The lines with magics as Python; empty if they don't parse then.

    A magic is one where a statement begins. A line like it within a string stays, since whoever runs the cell leaves it
    there, and it may be the one that ends the string.
    """
    within: set[int] = set()
    for _ in range(3):
        blanked = _blanked(lines, within)
        tree = _tree("\n".join(blanked))
        if tree is None:
            return ""
        begins = {node.lineno - 1 for node in ast.walk(tree) if isinstance(node, ast.stmt)}
        found = {at for at, line in enumerate(blanked) if line and line != lines[at] and at not in begins}
        if not found:
            return "\n".join(blanked)
        within |= found
    return ""


def _blanked(lines: Sequence[str], within: Collection[int]) -> list[str]:
    """The lines with every magic as Python, but for those at these places. One goes on where it ends in a backslash."""
    made: list[str] = []
    goes_on = False
    for at, line in enumerate(lines):
        made.append("" if goes_on else line if at in within else _blank(line))
        goes_on = (goes_on or (made[-1] != line and not made[-1].endswith("\\"))) and line.endswith("\\")
    return made


def _blank(line: str) -> str:
    if (assigned := _ASSIGNED.match(line)) is not None:
        return f"{assigned[1]}{_run_by(assigned[2]) or 'None'}"
    magic = _LINE.match(line)
    return line if magic is None else f"{magic[1]}{_run_by(magic[2]) or 'pass'}"


def _run_by(line: str) -> str:
    """The Python that a magic runs, nothing for most. IPython evaluates what stands in braces behind any other."""
    magic = _MAGIC.match(line)
    if magic is None:
        return ""
    name, rest = magic[1], magic[2].strip()
    if name in _TIMED:
        words, at = rest.split(), 0
        while at < len(words) and _OPTION.fullmatch(words[at]):
            at += 2 if name == "prun" and words[at] in _WITH_WORD else 1
        return " ".join(words[at:])
    if name == "pylab":
        return _PYLAB
    if name == "aimport":
        return f"import {rest}" if rest and not rest.startswith("-") else ""
    if name == "run" and not _RUN.match(rest):
        return line  # perhaps a file that nobody reads
    return f"f{rest!r}" if "{" in rest else ""


def _tree(source: str) -> ast.Module | None:
    try:
        return python_text.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
