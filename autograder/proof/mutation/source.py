"""The Python of an upload, piece by piece: modules, notebook cells, files of a zip; and the upload with one changed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LINE_MAGIC = re.compile(r"^([ \t]*)([%!].*)$", re.MULTILINE)
_MARK = re.compile(r"pass  # magic (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One piece of Python. file: within a zip, else the upload's name. cell: index of a notebook's cell, else -1."""

    file: str
    cell: int
    text: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.file if self.cell < 0 else f"{self.file}, cell {self.cell + 1}"


def parts(filename: str, data: bytes) -> list[Part]:
    """Every piece of Python in an upload. Cells with a cell magic (`%%…`) are left out."""
    if filename.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [n for n in archive.namelist() if n.endswith((".py", ".ipynb"))]
            return [part for name in names for part in parts(name, archive.read(name))]
    if filename.endswith(".ipynb"):
        cells = json.loads(data).get("cells", [])
        texts = [(i, _text(c)) for i, c in enumerate(cells) if c.get("cell_type") == "code"]
        return [Part(filename, i, text) for i, text in texts if not text.lstrip().startswith("%%")]
    return [Part(filename, -1, data.decode("utf-8"))]


def rebuilt(filename: str, data: bytes, changes: Sequence[tuple[Part, str]]) -> bytes:
    """The upload with the text of some parts replaced."""
    if not changes:
        return data
    if filename.endswith(".zip"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                here = [(part, text) for part, text in changes if part.file == name]
                new.writestr(zipfile.ZipInfo(name), rebuilt(name, old.read(name), here) if here else old.read(name))
        return buffer.getvalue()
    if filename.endswith(".ipynb"):
        tree = json.loads(data)
        for part, text in changes:
            tree["cells"][part.cell]["source"] = text
        return json.dumps(tree).encode()
    return changes[0][1].encode("utf-8")


def without_magics(text: str) -> tuple[str, list[str]]:
    """The text as plain Python, of the same number of lines, and what was taken out."""
    taken: list[str] = []

    def take(match: re.Match[str]) -> str:
        taken.append(match[2])
        return f"{match[1]}pass  # magic {len(taken) - 1}"

    return _LINE_MAGIC.sub(take, text), taken


def with_magics(text: str, taken: Sequence[str]) -> str:
    """Undo `without_magics`."""
    return _MARK.sub(lambda match: taken[int(match[1])], text)


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
