"""Notebook text to Python: cells out of the JSON, IPython's extras out of the cells. Pure text, line for line."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

from harness.errors import HarnessError, Kind

_KEEP_BODY = "time timeit capture prun memit mprun lprun python python3"
_SILENT = """matplotlib load_ext reload_ext unload_ext autoreload config env cd ls pwd who whos tensorboard reset
    precision warnings xmode pdb autosave notebook colors"""
RUN_ANYWAY = frozenset(_KEEP_BODY.split())
QUIET = frozenset(_SILENT.split())

NO_SHELL = "Shell commands don't run while grading; hand in the files they would fetch or make."

_SHELL = re.compile(r"^(?P<indent>\s*)(?P<target>[\w\s,.\[\]\"']+=\s*)?!(?P<rest>.*)$")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?P<target>[\w\s,.\[\]\"']+=\s*)?%(?P<name>[A-Za-z_]\w*)[ \t]*(?P<rest>.*)$")
_HELP = re.compile(r"^(?P<indent>\s*)(\?{1,2}\s*[\w.*%]+|[\w.*%\[\]]+\s*\?{1,2})\s*;?\s*$")
_INSTALL = re.compile(r"^\s*(?:python3?\s+-m\s+)?(?:pip|pip3|conda|mamba|uv|apt|apt-get|sudo\s+apt\S*)\b.*\binstall\b")
_TIME_OPTIONS = re.compile(r"^(?:-[a-z]+\s*\d*\s+)+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell: what people call it ("cell 3": the third code cell) and its text."""

    name: str
    text: str


@dataclass(slots=True)
class Cleaned:
    """A cell as plain Python, and what was taken out of it.

    code: same number of lines as the cell, or None if the cell is to be skipped. notes: (line, code, message).
    file: (name, content, append) of a %%writefile cell.
    """

    code: str | None
    notes: list[tuple[int, str, str]] = field(default_factory=list)
    file: tuple[str, str, bool] | None = None


def read_cells(data: bytes) -> list[Cell]:
    """The code cells of an .ipynb (nbformat 3 to 5; source as text or lines). Raises HarnessError(exception)."""
    try:
        tree = json.loads(data.decode("utf-8-sig"))
        sheets = tree.get("worksheets")
        raw = tree.get("cells") or [cell for sheet in sheets or [] for cell in sheet.get("cells", [])]
        codes = [c for c in raw if isinstance(c, dict) and c.get("cell_type") == "code"]
    except (ValueError, AttributeError, RecursionError, TypeError) as error:
        message = "The notebook is not valid JSON. Open it in Jupyter, save it again and hand in that file."
        raise HarnessError(Kind.EXCEPTION, message, "NotebookError") from error
    return [Cell(f"cell {i}", _source(c)) for i, c in enumerate(codes, start=1)]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "") if isinstance(source, str) else ""


def clean(text: str) -> Cleaned:
    """The text as Python that parses, magics and shell lines replaced line for line.

    `code` is None when the cell is another language, a file to write, or cannot be parsed at all.
    """
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        whole = _cell_magic(lines, first)
        if whole is not None:
            return whole
        lines[first] = ""
        first = next((i for i, line in enumerate(lines) if line.strip()), first)
    cleaned = Cleaned(None)
    if lines[first].startswith((" ", "\t")):
        lines = textwrap.dedent("\n".join(lines)).split("\n")
    for every_line in (False, True):
        code = _repair(lines, cleaned, every_line)
        if code is not None:
            cleaned.code = code
            break
    if cleaned.code is None:
        line, why = _problem("\n".join(lines)) or (1, "invalid syntax")
        cleaned.notes.append((line, "unparsable_cell", f"This cell is not valid Python ({why}); it was left out."))
    return cleaned


def _cell_magic(lines: list[str], first: int) -> Cleaned | None:
    """What a %% cell comes to; None if its body is Python to be kept."""
    words = lines[first].strip()[2:].split()
    name = words[0] if words else ""
    if name in RUN_ANYWAY:
        return None
    if name in ("writefile", "file") and len(words) > 1:
        body = "\n".join(lines[first + 1 :]) + "\n"
        return Cleaned(None, file=(words[-1].strip("'\""), body, "-a" in words[1:-1] or "--append" in words[1:-1]))
    note = (first + 1, "skipped_magic", f"%%{name} cells are skipped: only Python is run here.")
    return Cleaned(None, [note])


def _problem(code: str) -> tuple[int, str] | None:
    """Line and reason of the first syntax error, or None."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1, error.msg or "invalid syntax"
    except (ValueError, RecursionError, MemoryError) as error:
        return 1, str(error) or "nested too deeply"
    return None


def _repair(lines: list[str], cleaned: Cleaned, every_line: bool) -> str | None:
    """Replace IPython lines where the parser stumbles (or wherever one stands) until the cell parses, else None."""
    lines = list(lines)
    notes: list[tuple[int, str, str]] = []
    if every_line:
        for number, line in enumerate(lines, start=1):
            if not _is_operator(line):
                _replace(lines, number, notes)
    for _ in range(len(lines) + 1):
        problem = _problem("\n".join(lines))
        if problem is None:
            cleaned.notes.extend(notes)
            return "\n".join(lines)
        number = min(max(problem[0], 1), len(lines))
        if not _replace(lines, number, notes):
            return None
    return None


def _is_operator(line: str) -> bool:
    return bool(re.match(r"^\s*%\s", line))


def _replace(lines: list[str], number: int, notes: list[tuple[int, str, str]]) -> bool:
    """Make line `number` (from 1) plain Python if it is a shell, magic or help line. True if something changed."""
    line = lines[number - 1]
    if match := _SHELL.match(line):
        _note_shell(match["rest"], number, notes)
        new = match["indent"] + (f"{match['target'].strip()} []" if match["target"] else "pass")
    elif match := _MAGIC.match(line):
        new = _magic_line(match, number, notes)
    elif match := _HELP.match(line):
        new = match["indent"] + "pass"
    else:
        return False
    lines[number - 1] = new
    shell_like = new.endswith(("pass", "[]", "None"))
    while shell_like and line.endswith("\\") and number < len(lines):
        line, lines[number] = lines[number], ""
        number += 1
    return True


def _note_shell(command: str, number: int, notes: list[tuple[int, str, str]]) -> None:
    if _INSTALL.match(command.lstrip("!")):
        notes.append((number, "skipped_install", "Package installs are skipped; the runtime's packages are fixed."))
    else:
        notes.append((number, "skipped_shell", f"{NO_SHELL} Skipped: !{command.strip()[:60]}"))


def skipped_magic(name: str) -> str:
    """What is said about a magic that isn't run."""
    return f"The magic %{name} is skipped."


def _magic_line(match: re.Match[str], number: int, notes: list[tuple[int, str, str]]) -> str:
    """The Python that stands for a % line."""
    name, rest, indent, target = match["name"], match["rest"].strip(), match["indent"], match["target"] or ""
    if name in ("time", "timeit"):
        statement = _TIME_OPTIONS.sub("", rest)
        return indent + target + (statement or "pass")
    if name == "run" and rest.endswith(".py") and re.fullmatch(r"(\./)?\w+\.py", rest):
        return f"{indent}from {rest.removeprefix('./').removesuffix('.py')} import *"
    if name == "pylab":
        return f"{indent}import numpy as np; import matplotlib.pyplot as plt; from pylab import *"
    if name in ("pip", "conda", "mamba", "uv"):
        _note_shell(f"{name} {rest}", number, notes)
    elif name not in QUIET:
        notes.append((number, "skipped_magic", skipped_magic(name)))
    return indent + (f"{target.strip()} None" if target else "pass")
