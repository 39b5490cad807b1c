"""Run-all mode: an IPython shell in this process for the cells of a notebook, and the figures they draw."""

from __future__ import annotations

import io
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from harness.errors import describe
from harness.loading import Notes
from harness.packages import HardenImports

MAX_FIGURES = 8
MAX_FIGURE_BYTES = 400_000
MAX_INCHES = 12.0
RESOLUTIONS = (80, 40)


class _Compiler(CachingCompiler):  # type: ignore[misc]
    """Compiles cells under the name people call them by."""

    cell = "cell"

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """The current cell's name."""
        del raw_code, transformed_code, number
        return self.cell


class _Shell(InteractiveShell):  # type: ignore[misc]
    """IPython without its own tracebacks, shell commands or files."""

    compiler_class = _Compiler

    def showtraceback(self, *_args: Any, **_keywords: Any) -> None:
        """Print the student's own lines only."""
        error = sys.exc_info()[1]
        if error is not None:
            print(describe(error)["trace"])

    showsyntaxerror = showtraceback

    def system(self, cmd: str) -> int:
        """Shell commands are skipped, also when called by hand."""
        print(f"skipped: !{cmd}")
        return 0

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> list[str] | str:
        """As `system`."""
        del depth
        self.system(cmd)
        return [] if split else ""

    def init_io(self) -> None:
        """Leave the terminal alone."""

    def init_history(self) -> None:
        """Keep no history file."""
        config = Config({"HistoryManager": {"enabled": False}})
        self.config.merge(config)
        super().init_history()


class NotebookShell:
    """Runs cleaned cells one after the other in the student's module."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        del folder
        before = set(vars(module))
        self._shell = _Shell(user_module=module, user_ns=vars(module))
        self._shell.colors = "nocolor"
        self._shell.display_formatter.active_types = ["text/plain"]
        self._shell.ast_transformers.append(HardenImports())
        self._hidden = set(vars(module)) - before
        sys.modules["__main__"] = module

    def hidden(self) -> set[str]:
        """Names IPython itself put into the module."""
        return self._hidden | {"In", "Out", "_", "__", "___"}

    def run(self, name: str) -> BaseException | None:
        """Run the cell whose cleaned text linecache knows under this name; what it raised is returned."""
        entry = linecache.cache[name]
        self._shell.compile.cell = name
        try:
            result = self._shell.run_cell("".join(linecache.getlines(name)), store_history=False)
        except BaseException as error:
            return error
        finally:
            linecache.cache[name] = entry
        failure: BaseException | None = result.error_before_exec or result.error_in_exec
        return failure


class Figures:
    """Keeps what matplotlib draws as PNG: at plt.show() and at the end of a cell, at most 8."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.images: list[bytes] = []
        self._where = ""
        matplotlib.use("Agg")
        plt.show = lambda *_args, **_keywords: self.collect(self._where)

    def collect(self, where: str) -> None:
        """Take every open figure and close it."""
        self._where = where
        for number in plt.get_fignums():
            try:
                if len(self.images) < MAX_FIGURES:
                    self._keep(plt.figure(number), where)
                else:
                    self._notes.remark("figures_left_out", f"Only the first {MAX_FIGURES} figures are kept.")
            except Exception as error:
                self._notes.remark("figure_failed", f"A figure could not be drawn: {error}", where)
            finally:
                plt.close(number)

    def _keep(self, figure: Any, where: str) -> None:
        width, height = figure.get_size_inches()
        figure.set_size_inches(min(width, MAX_INCHES), min(height, MAX_INCHES))
        for resolution in RESOLUTIONS:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=resolution)
            if buffer.tell() <= MAX_FIGURE_BYTES:
                self.images.append(buffer.getvalue())
                return
        self._notes.remark("figures_left_out", "A figure was too large to be kept.", where)
