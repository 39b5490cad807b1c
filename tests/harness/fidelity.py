"""Whole notebooks for the tests: their files, the last cell that looks at their names, and how two looks differ."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

from tests.harness.client import Harness, notebook, split_cells

FOLDER = Path(__file__).parent.parent / "fixtures" / "notebooks" / "whole"
RECORDING = FOLDER / "recorded.json"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
SNAPSHOT = Path(__file__).parent / "snapshot.py"
RESULT = "snapshot.json"
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # another processor adds in another order


def source(name: str) -> str:
    """The text of a notebook: its cells, parted by lines of `# %%`."""
    return (FOLDER / f"{name}.txt").read_text()


def digest(name: str) -> str:
    """Tells whether a notebook, or how it is looked at, changed after its recording."""
    return hashlib.sha256(source(name).encode() + SNAPSHOT.read_bytes()).hexdigest()[:16]


def build(name: str, folder: Path) -> bytes:
    """The .ipynb, with a last cell that writes down the names into `folder`, whose subfolder `work` it runs in."""
    shutil.copy(SNAPSHOT, folder / SNAPSHOT.name)
    space = f"{{'space': globals(), 'target': {str(folder / RESULT)!r}}}"
    look = f"__import__('runpy').run_path({str(folder / SNAPSHOT.name)!r}, {space}); None"
    return shaped(name, notebook([*split_cells(source(name)), look]))


def shaped(name: str, data: bytes) -> bytes:
    """The notebook in the form in which some tool wrote it."""
    tree = json.loads(data)
    if name == "out_of_order":
        for count, cell in zip((7, 3, None, 12), tree["cells"], strict=False):
            cell["execution_count"] = count
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["an old run\n"]}]
    if name == "widgets_metadata":
        tree["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
        tree["metadata"]["colab"] = {"provenance": []}
    if name == "old_format":
        cells = [
            {"cell_type": "code", "input": cell["source"], "outputs": [], "language": "python", "collapsed": False}
            for cell in tree["cells"]
        ]
        tree = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "old"}, "worksheets": [{"cells": cells}]}
    return json.dumps(tree).encode()


def read_result(folder: Path) -> dict[str, Any]:
    """What the last cell wrote."""
    found: dict[str, Any] = json.loads((folder / RESULT).read_text())
    return found


def under_harness(harness: Harness, name: str) -> dict[str, Any]:
    """The notebook's names after run-all mode."""
    folder = harness.folder.parent
    harness.load_files({"nb.ipynb": build(name, folder)}, "nb.ipynb", "run_all")
    assert (folder / RESULT).exists(), f"the last cell did not run; printed:\n{harness.output()}"
    return read_result(folder)


def differences(expected: dict[str, Any], found: dict[str, Any], exact: bool) -> dict[str, str]:
    """What differs between two looks: `names.x`, `shown.3`, … → how. With `exact`, to the last bit."""
    wrong = {}
    for part in ("names", "shown"):
        for key in sorted({*expected[part], *found[part]}):
            first, second = (json.dumps(side[part].get(key, "absent"))[:300] for side in (expected, found))
            if not same(expected[part].get(key), found[part].get(key), exact) or (key in expected[part]) != (
                key in found[part]
            ):
                wrong[f"{part}.{key}"] = f"notebook {first}, harness {second}"
    for part in ("last", "cells", "folder"):
        if not same(expected[part], found[part], exact):
            wrong[part] = f"notebook {expected[part]}, harness {found[part]}"
    return wrong


def same(first: Any, second: Any, exact: bool) -> bool:
    """True if two descriptions agree."""
    if isinstance(first, float) and isinstance(second, float) and not exact:
        return math.isclose(first, second, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(same(a, b, exact) for a, b in zip(first, second, strict=True))
    if isinstance(first, dict) and isinstance(second, dict):
        keys = first.keys() if exact else first.keys() - {"digest"}
        return first.keys() == second.keys() and all(same(first[key], second[key], exact) for key in keys)
    return bool(first == second)
