"""What the magics of a notebook do in run-all mode: IPython's own where they are harmless, else nothing, politely."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import message_of
from harness.notebook import read_cells

# Left to IPython: they look at names, time code, change the folder or the environment.
_IPYTHON = """time prun cd pwd pushd popd dirs env set_env run who whos who_ls xdel precision xmode lsmagic magic
    quickref reset reset_selective autoreload aimport history hist pinfo pinfo2 pdoc pdef psource pfile psearch pprint
    page capture timeit"""
IPYTHON = frozenset(_IPYTHON.split())
EXTENSIONS = ("autoreload",)
OTHER_PYTHON = ("python", "python3", "pypy")
_TIMING = re.compile(r"(?<!\S)-(?:n|r)\s*\d+(?=\s|$)")
_PYLAB = "import numpy as np; import matplotlib.pyplot as plt; from pylab import *"
MAX_NESTED = 5

Run = Callable[..., Any]


class Magics:
    """Answers `%name rest` and `%%name rest` for a shell; `line` and `cell` are IPython's own ways to run them."""

    def __init__(self, shell: Any, line: Run, cell: Run) -> None:
        self._shell = shell
        self._line = line
        self._cell = cell
        self._nested = 0

    def run_line(self, name: str, rest: str, depth: int) -> Any:
        """Run a line magic. depth: frames between the student's line and here, for IPython to find his names."""
        if name in ("load_ext", "reload_ext") and rest.strip() in EXTENSIONS:
            return self._line(name, rest, depth + 1)
        if name == "pylab":
            return self._shell.ex(_PYLAB)
        if name == "run" and (notebook := _notebook(rest)):
            return self._run_notebook(notebook)
        if name == "timeit":
            return self._line(name, once(rest), depth + 1)
        if name in IPYTHON or self._is_own(name):
            return self._line(name, rest, depth + 1)
        return None

    def run_cell(self, name: str, rest: str, body: str, first_line: int) -> Any:
        """Run a cell magic. first_line: comments to put before the body so that its line numbers are the cell's."""
        if name == "timeit":
            return self._cell(name, once(rest), body)
        if name == "capture":
            top = "" if body[:1].isspace() or body.startswith("%%") else "#\n" * first_line
            return self._cell(name, rest, top + body)
        if name in OTHER_PYTHON:
            exec(compile(body, f"%%{name}", "exec"), {"__name__": "__main__"})
            return None
        if name in IPYTHON or self._is_own(name):
            return self._cell(name, rest, body)
        print(f"skipped: %%{name}")
        return None

    def _is_own(self, name: str) -> bool:
        """True for a magic that the notebook itself defines."""
        found = (self._shell.magics_manager.magics[kind].get(name) for kind in ("line", "cell"))
        return any(getattr(f, "__module__", "") == "__main__" for f in found)

    def _run_notebook(self, name: str) -> None:
        """%run of a notebook: its cells, one after the other, in the same names; the first that raises ends it."""
        if self._nested >= MAX_NESTED:
            raise RecursionError(f"%run {name}: the notebooks run each other; take one of the lines out")
        self._nested += 1
        try:
            for cell in read_cells(Path(name).read_bytes()):
                result = self._shell.run_cell(cell.text, silent=True)
                if not result.success:
                    error = result.error_before_exec or result.error_in_exec
                    print(f"%run {name} stopped in its {cell.name}: {message_of(error)}")
                    return
        finally:
            self._nested -= 1


def once(options: str) -> str:
    """%timeit's options for a single run: how long it takes is nobody's question here."""
    return "-n 1 -r 1 " + _TIMING.sub("", options).strip()


def _notebook(rest: str) -> str | None:
    """The notebook's name in `%run [-i] name.ipynb`."""
    words = [word.strip("'\"") for word in rest.split()]
    return next((word for word in words if word.endswith(".ipynb")), None)
