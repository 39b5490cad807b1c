"""What students are given: the instructions and the starter, as one notebook and as a module."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from autograder.errors import SpecError
from autograder.specs.dataset import DataSet

_STEM = "submission"
_SERVED = ("datasets/", "hub/")  # what answers downloads while grading; at home the real ones do


def handout_files(folder: Path) -> dict[str, bytes]:
    """The files to give to students by name, made from README.md, img/ and starter/ of a spec's folder.

    README.md; submission.ipynb (the instructions as text cells, then the starter's cells); submission.py; whatever else
    lies in starter/ and img/. Raises SpecError if README.md or a starter is missing.
    """
    readme, starter = folder / "README.md", folder / "starter"
    if not readme.is_file():
        raise SpecError(f"{readme}: there is no handout", "Write it: what to hand in, what is checked.")
    notebooks, modules = sorted(starter.glob("*.ipynb")), sorted(starter.glob("*.py"))
    if not (notebooks or modules):
        raise SpecError(f"{starter}: there is no starter", f"Add {_STEM}.py (or a notebook) with the names to fill in.")
    cells = _cells_of(notebooks[0]) if notebooks else module_cells(modules[0].read_text(encoding="utf-8"))
    text = readme.read_text(encoding="utf-8")
    files = {"README.md": text.encode()}
    for extra in (starter, folder / "img"):
        for path in sorted(p for p in extra.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            if path not in (notebooks[:1] + modules[:1]):
                inside = path.relative_to(starter if extra == starter else folder)
                files[inside.as_posix()] = path.read_bytes()
    files[f"{_STEM}.ipynb"] = notebook([_cell("markdown", part) for part in sections(text)] + cells)
    files[f"{_STEM}.py"] = modules[0].read_bytes() if modules else _module_of(cells).encode()
    return files


def data_files(data: DataSet) -> dict[str, bytes]:
    """The files that lie beside a submission while it is graded, for students to try their work at home.

    All of them are public. Left out: what stands for downloads, and folders of the operator's own, which may be large.
    """
    return {name: content for name, content in data.files.items() if not name.startswith(_SERVED)}


def need_new(out: Path) -> None:
    """Raises SpecError if there is something at this place."""
    if out.exists():
        raise SpecError(f"{out} is there already", "Remove it, or name another place with --out.")


def write_handout(files: dict[str, bytes], out: Path) -> None:
    """Write the files into a folder, or into a zip if `out` ends with .zip. Raises SpecError if `out` is there."""
    need_new(out)
    if out.suffix == ".zip":
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(name), content)
        return
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def sections(text: str) -> list[str]:
    """Markdown cut before each heading of the first two ranks; headings inside code fences don't count."""
    parts: list[list[str]] = [[]]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if re.match(r"##? ", line) and not fenced and any(parts[-1]):
            parts.append([])
        parts[-1].append(line)
    return [joined for part in parts if (joined := "\n".join(part).strip())]


def module_cells(code: str) -> list[dict[str, Any]]:
    """Code cells of a module: its docstring as text, then imports and constants, and each class or function alone.

    The block `if __name__ == "__main__":` loses its guard: a notebook's last cell is where one tries things.
    """
    tree = ast.parse(code)
    lines = code.splitlines()
    cells: list[dict[str, Any]] = []
    docstring = ast.get_docstring(tree)
    if docstring:
        cells.append(_cell("markdown", docstring))
    begin = tree.body[0].end_lineno or 0 if docstring else 0
    kinds: list[str] = []
    chunks: list[tuple[str, int, int]] = []
    for node in tree.body[1:] if docstring else tree.body:
        kind = "alone" if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If) else "together"
        end = node.end_lineno or node.lineno
        if kind == "together" and kinds and kinds[-1] == "together":
            chunks[-1] = (kind, chunks[-1][1], end)
        else:
            chunks.append((kind, begin, end))
        kinds.append(kind)
        begin = end
    return cells + [_cell("code", _unguarded("\n".join(lines[a:b]).strip("\n"))) for _, a, b in chunks]


def _unguarded(code: str) -> str:
    if not re.match(r"if __name__ == .__main__.:", code):
        return code
    return "\n".join(line.removeprefix("    ") for line in code.splitlines()[1:])


def notebook(cells: list[dict[str, Any]]) -> bytes:
    """A notebook (nbformat 4.5) of cells, numbered so that the same cells give the same bytes."""
    numbered = [{"id": f"cell-{i}", **{k: v for k, v in cell.items() if k != "id"}} for i, cell in enumerate(cells)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    whole = {"cells": numbered, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _cells_of(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook without results."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [_cell(c["cell_type"], "".join(c["source"])) for c in read if c["cell_type"] in ("code", "markdown")]
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{path}: is no notebook ({error})", "Save it again from Jupyter.") from error


def _module_of(cells: list[dict[str, Any]]) -> str:
    """The code cells one below the other; magics and shell lines are no Python and stay behind as comments."""
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    text = "\n\n\n".join(part.strip("\n") for part in code if part.strip())
    return re.sub(r"(?m)^(\s*)([%!].*)$", r"\1# \2", text) + "\n"
