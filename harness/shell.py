"""Run-all mode: an IPython shell in this process for the cells of a notebook, and the figures they draw."""

from __future__ import annotations

import ast
import asyncio
import io
import linecache
import sys
from types import ModuleType
from typing import Any, NoReturn

import matplotlib
import matplotlib.pyplot as plt
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from matplotlib.figure import Figure
from traitlets.config import Config

from harness.errors import describe
from harness.loading import Notes
from harness.magics import Magics
from harness.notebook import NO_SHELL, Cell
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


class _DisplayHook(DisplayHook):  # type: ignore[misc]
    """Prints a cell's last value without `Out[3]:`, which in a notebook stands beside the output."""

    prompt_end_newline = True

    def write_output_prompt(self) -> None:
        """No prompt."""


class _Shell(InteractiveShell):  # type: ignore[misc]
    """IPython without its own tracebacks, shell commands or files."""

    compiler_class = _Compiler
    displayhook_class = _DisplayHook
    first_line = 0
    shown: BaseException | None = None  # the last error there was, also one that a magic kept to itself
    loop: asyncio.AbstractEventLoop

    def showtraceback(self, *_args: Any, **_keywords: Any) -> None:
        """Print the student's own lines only."""
        self.shown = sys.exc_info()[1]
        if self.shown is not None:
            print(describe(self.shown)["trace"])

    showsyntaxerror = showtraceback

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run a magic if it is harmless; others do nothing."""
        return self._magics().run_line(magic_name, line, _stack_depth + 1)

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """As `run_line_magic`."""
        return self._magics().run_cell(magic_name, line, cell, self.first_line)

    def _magics(self) -> Magics:
        if not hasattr(self, "_own_magics"):
            self._own_magics = Magics(self, super().run_line_magic, super().run_cell_magic)
        return self._own_magics

    def system(self, cmd: str) -> None:
        """Shell commands are skipped, also when called by hand."""
        print(f"{NO_SHELL} Skipped: !{cmd}")

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> list[str] | str:
        """As `system`."""
        del depth
        self.system(cmd)
        return SList([]) if split else ""

    def should_run_async(self, raw_cell: str, **_keywords: Any) -> bool:
        """Every cell runs in the notebook's event loop, as in a kernel; those run from inside a cell just run."""
        del raw_cell
        return not self.loop.is_running()

    def ask_exit(self) -> NoReturn:
        """`exit` and `quit` end their cell."""
        raise SystemExit

    def init_io(self) -> None:
        """Leave the terminal alone."""

    def init_history(self) -> None:
        """Keep no history file."""
        config = Config({"HistoryManager": {"enabled": False}})
        self.config.merge(config)
        super().init_history()


class NotebookShell:
    """Runs cells one after the other in the student's module."""

    def __init__(self, module: ModuleType) -> None:
        before = set(vars(module))
        self._shell = _Shell.instance(user_module=module, user_ns=vars(module))
        self._shell.loop = asyncio.new_event_loop()
        self._shell.loop_runner = self._shell.loop.run_until_complete
        asyncio.set_event_loop(self._shell.loop)
        self._shell.colors = "nocolor"
        self._shell.display_formatter.active_types = ["text/plain"]
        self._shell.ast_transformers.append(HardenImports())
        self._shell.set_hook("show_in_pager", _print_page)
        self._hidden = set(vars(module)) - before
        sys.modules["__main__"] = module

    def hidden(self) -> set[str]:
        """Names IPython itself put into the module."""
        return self._hidden | {"In", "Out", "_", "__", "___"}

    def run(self, cell: Cell, plain: str | None) -> BaseException | None:
        """Run a cell; what it raised is returned.

        plain: the cell as plain Python, which linecache knows under the cell's name; None for a cell to be skipped,
        which is counted all the same.
        """
        if not cell.text.strip():
            return None
        if plain is None:
            self._shell.history_manager.store_inputs(self._shell.execution_count, cell.text)
            self._shell.execution_count += 1
            return None
        entry = linecache.cache[cell.name]
        self._shell.compile.cell = cell.name
        self._shell.shown = None
        try:
            result = self._shell.run_cell(self._runnable(cell.text, plain), store_history=True)
        except BaseException as error:
            return error
        finally:
            linecache.cache[cell.name] = entry
        failure: BaseException | None = result.error_before_exec or result.error_in_exec or self._shell.shown
        return failure

    def _runnable(self, text: str, plain: str) -> str:
        """The cell as IPython is to see it: as written, or as plain Python where IPython can't read it.

        A %%time goes: it says how long the cell took, and hides on which line it failed. IPython drops empty lines at
        the top; comments in their place keep the numbers of the lines below.
        """
        lines = text.split("\n")
        first = next(i for i, line in enumerate(lines) if line.strip())
        self._shell.first_line = first + 1
        if lines[first].split()[0] in ("%%time", "%%memit", "%%mprun", "%%lprun"):
            lines[first] = ""
            first = next((i for i, line in enumerate(lines) if line.strip()), first)
        if not lines[first].startswith("%%"):
            indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
            lines[:first] = [f"{indent}#"] * first
        whole = "\n".join(lines)
        try:
            ast.parse(self._shell.transform_cell(whole))
        except (SyntaxError, ValueError):
            return plain
        return whole


def _print_page(_shell: Any, data: Any, start: int, screen_lines: int) -> None:
    """Print what IPython would show in a pager: help, a magic's report."""
    del start, screen_lines
    print(data.get("text/plain", "") if isinstance(data, dict) else data)


class Figures:
    """Keeps what matplotlib draws as PNG: at plt.show() and at the end of a cell, at most 8."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.images: list[bytes] = []
        self._where = ""
        matplotlib.use("Agg")
        plt.show = lambda *_args, **_keywords: self.collect(self._where)
        Figure.show = lambda _figure, *_args, **_keywords: None  # kept at the end of the cell

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
