"""Looks into notebooks and modules: can they be read at all, and is there code in them?"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from autograder import python_text
from autograder.errors import UploadRefused
from autograder.text import one_line

MAX_NOTEBOOK = 16 * 1024 * 1024
MAX_MODULE = 256 * 1024
MAX_CONTAINERS = 1_000_000  # lists and objects of a notebook: each takes the memory of some eighty characters
# Levels of JSON, and of a syntax tree, which the harness reads to the same depth. What is nested as deeply as can just
# be read can't be read where more of the stack is in use: an upload that was taken would be refused by the worker.
_MOST_LEVELS = 200
_AGAIN = "Open it in Jupyter or Colab, save it, download it again as .ipynb and upload that file."


class Disguise(StrEnum):
    """What a file really is, in words for a message."""

    HTML = "a web page (perhaps a log-in page that was saved instead of the file)"
    ZIP = "a ZIP archive"
    GZIP = "a gzip archive"
    RAR = "a RAR archive"
    SEVEN = "a 7z archive"
    PDF = "a PDF document"
    PNG = "an image"
    UTF16 = "text saved as UTF-16"
    NOTEBOOK = "a notebook"


def disguise(data: bytes) -> Disguise | None:
    """What the first bytes say the file is, if they say anything."""
    magics = {
        b"PK\x03\x04": Disguise.ZIP,
        b"PK\x05\x06": Disguise.ZIP,
        b"\x1f\x8b": Disguise.GZIP,
        b"Rar!": Disguise.RAR,
        b"7z\xbc\xaf": Disguise.SEVEN,
        b"%PDF": Disguise.PDF,
        b"\x89PNG": Disguise.PNG,
        b"\xff\xd8\xff": Disguise.PNG,
        b"\xff\xfe": Disguise.UTF16,
        b"\xfe\xff": Disguise.UTF16,
    }
    for magic, found in magics.items():
        if data.startswith(magic):
            return found
    head = data[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<!doctype htm")) or (
        head.startswith((b"<?xml", b"<!--")) and b"<html" in head
    ):
        return Disguise.HTML
    if head.startswith(b"{") and (b'"cells"' in head or b'"nbformat"' in head or b'"worksheets"' in head):
        return Disguise.NOTEBOOK
    return None


def check_notebook(shown: str, data: bytes) -> None:
    """Raise UploadRefused unless the bytes are a notebook (format 3 or 4) with code in it.

    Deliberately no nbformat validation: good notebooks from Colab and old Jupyter fail it.
    """
    _check_disguise(shown, data, ".ipynb")
    if len(data) > MAX_NOTEBOOK:
        raise UploadRefused(
            f"“{shown}” has {len(data) / 1024 / 1024:.0f} MB; a notebook may have {MAX_NOTEBOOK // 1024 // 1024} MB.",
            "Clear its outputs (Kernel → Restart & Clear Output), save it and upload it again.",
            "notebook_too_large",
        )
    tree = _parse_json(shown, _decode(shown, data))
    cells = _cells(shown, tree)
    if not cells:
        raise UploadRefused(f"“{shown}” has no cells.", f"Is it the right file? {_AGAIN}", "no_cells")
    if not any(_has_code(cell) for cell in cells):
        raise UploadRefused(
            f"“{shown}” has {len(cells)} cells, but no code in any of them.",
            "Is it the right file? Put your code into code cells and upload it again.",
            "no_code",
        )


def check_module(shown: str, data: bytes) -> None:
    """Raise UploadRefused unless the bytes are Python source that parses."""
    _check_disguise(shown, data, ".py")
    if len(data) > MAX_MODULE:
        raise UploadRefused(
            f"“{shown}” has {len(data) / 1024:.0f} KB; a module may have {MAX_MODULE // 1024} KB.",
            "Put data and weights into files of their own, and upload all of it as a .zip.",
            "module_too_large",
        )
    source = _decode(shown, data)
    if not source.strip():
        raise UploadRefused(f"“{shown}” is empty.", "Save your work, then upload the file again.", "empty")
    try:
        tree = python_text.parse(source)
        _check_depth(tree, ast.iter_child_nodes)
    except SyntaxError as error:
        raise _syntax(shown, source, error) from error
    except (ValueError, RecursionError, MemoryError) as error:
        what = one_line(error, 120) if isinstance(error, ValueError) else "it is nested too deeply"
        raise UploadRefused(
            f"“{shown}” can't be read as Python: {what}.",
            "Open it in an editor and look for stray or binary characters, then upload it again.",
            "syntax_error",
        ) from error
    if not tree.body:
        raise UploadRefused(f"“{shown}” holds only comments, no code.", "Is it the right file?", "no_code")


def _check_disguise(shown: str, data: bytes, suffix: str) -> None:
    if not data.strip():
        raise UploadRefused(f"“{shown}” is empty.", "Save your work, then upload the file again.", "empty")
    found = disguise(data)
    if found is None or (found is Disguise.NOTEBOOK and suffix == ".ipynb"):
        return
    hints = {
        Disguise.HTML: "Sign in where the file is kept, download it again, and check that it opens in Jupyter.",
        Disguise.ZIP: "Rename it so that it ends in .zip, or unpack it and upload the notebook or module inside.",
        Disguise.UTF16: "Save it again with the encoding UTF-8.",
        Disguise.NOTEBOOK: "Rename it so that it ends in .ipynb, then upload it again.",
    }
    hint = hints.get(found, "Upload the notebook (.ipynb) or module (.py) itself.")
    raise UploadRefused(f"“{shown}” ends in {suffix}, but it is {found.value}.", hint, "not_what_it_says")


def _decode(shown: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        around = one_line(data[max(0, error.start - 30) : error.start + 10].decode("latin-1"), 60)
        raise UploadRefused(
            f"“{shown}” is not UTF-8 text: line {line} has a byte that means nothing there, near “{around}”.",
            "Save the file with the encoding UTF-8 and upload it again.",
            "not_utf8",
        ) from error


def _parse_json(shown: str, text: str) -> Any:
    if "\n<<<<<<< " in text and "\n>>>>>>> " in text:
        raise UploadRefused(
            f"“{shown}” holds unresolved merge conflicts (lines that start with <<<<<<<).",
            "Resolve them with git (or nbdime), check that the notebook opens in Jupyter, and upload it again.",
            "merge_conflict",
        )
    try:
        if text.count("[") + text.count("{") > MAX_CONTAINERS:
            raise ValueError("more lists and objects than a notebook has")
        tree = json.loads(text)
        _check_depth(tree, _containers)
        return tree
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
        where = "it ends too early, as after a broken download" if cut else f"line {error.lineno}, column {error.colno}"
        raise UploadRefused(
            f"“{shown}” is not a readable notebook: its JSON is broken ({where}).", _AGAIN, "not_json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UploadRefused(
            f"“{shown}” is not a readable notebook: its JSON is nested too deeply, or holds an absurd number or far "
            "too many lists.",
            _AGAIN,
            "not_json",
        ) from error


def _check_depth(root: Any, members: Callable[[Any], Iterable[Any]]) -> None:
    """Raise RecursionError for a tree of too many levels."""
    level = [root]
    for _ in range(_MOST_LEVELS):
        level = [member for node in level for member in members(node)]
        if not level:
            return
    raise RecursionError


def _containers(value: Any) -> Iterable[Any]:
    """The lists and objects in a list or an object."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (member for member in inside if isinstance(member, dict | list))


def _cells(shown: str, tree: Any) -> list[Any]:
    """The cells of a format 3 or 4 notebook."""
    if not isinstance(tree, dict):
        raise UploadRefused(f"“{shown}” is JSON, but not a notebook.", _AGAIN, "not_a_notebook")
    cells = tree.get("cells")
    if cells is None and isinstance(tree.get("worksheets"), list):  # format 3
        sheets = [sheet.get("cells") for sheet in tree["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise UploadRefused(f"“{shown}” is JSON, but it has no list of cells.", _AGAIN, "not_a_notebook")
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or _source(cell) is None:
            raise UploadRefused(f"Cell {number} of “{shown}” is damaged.", _AGAIN, "damaged_cell")
    return cells


def _source(cell: dict[str, Any]) -> str | None:
    """A cell's text (format 3 calls a code cell's text `input`), empty if it has none, None if it can't be read."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _has_code(cell: dict[str, Any]) -> bool:
    return cell.get("cell_type") == "code" and bool((_source(cell) or "").strip())


def _syntax(shown: str, source: str, error: SyntaxError) -> UploadRefused:
    line = error.lineno or 1
    lines = source.splitlines()
    text = one_line(lines[line - 1], 100) if 0 < line <= len(lines) else ""
    hint = "Run the file once on your own computer; it stops at the same place."
    if text.startswith(("!", "%")):
        hint = "Lines that start with ! or % work in notebooks only: upload the .ipynb, or delete the line."
    elif text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        hint = "This is an unresolved merge conflict: resolve it, then upload the file again."
    return UploadRefused(
        f"“{shown}” is not valid Python: line {line}: {one_line(error.msg, 100)}: “{text}”.", hint, "syntax_error"
    )
