"""Loading a submission: the files go into the work directory, then its main file is run in one of two modes."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from harness import local, stubs
from harness.definitions import bound_names
from harness.errors import (
    SOURCES,
    BadRequest,
    HarnessError,
    Kind,
    advice_of,
    kind_of,
    message_of,
    student_folder,
    where_of,
)
from harness.loading import (
    DefinitionLoader,
    Notes,
    compile_chunk,
    decode_source,
    install_helpers,
    parse_file,
    prepare,
    write_file,
)
from harness.magics import IPYTHON
from harness.notebook import Cell, read_cells
from harness.packages import HOOK, HardenImports, Placeholder, explain
from harness.submission import Submission, remark_redefinitions

MODES = ("definitions", "run_all")


def load(
    files: Mapping[str, bytes], main: str, mode: str, folder: Path, data: Path | None = None
) -> tuple[Submission, list[bytes]]:
    """Load a submission; returns it and the figures it drew (PNG, run-all mode only).

    files: relative path → content. data: folder of the files that the task shows. What single cells or statements
    raise becomes a remark. Raises HarnessError if the main file can't be read at all, BadRequest for an unknown mode or
    file.
    """
    if mode not in MODES or main not in files:
        raise BadRequest("load needs a mode (definitions or run_all) and a main file among the files")
    notes = Notes()
    folder = folder.resolve()
    student_folder(folder)
    for name, content in files.items():
        write_file(folder, name, content)
    if data is not None:
        local.show(data, folder)
    stubs.install_colab(lambda code, message: notes.remark(code, message))
    module = _student_module(folder, main)
    importlib.invalidate_caches()
    figures: list[bytes] = []
    if mode == "definitions":
        submission = _load_definitions(files[main], main, module, notes, folder)
    else:
        submission, figures = _run_all(files[main], main, module, notes, folder)
    remark_redefinitions(notes)
    return submission, figures


def _student_module(folder: Path, main: str) -> ModuleType:
    """The module the submission lives in. It is `__main__`, as in a notebook, so that pickles and dataclasses work."""
    module = ModuleType("__main__")
    if main.endswith(".py"):
        module.__file__ = str(folder / main)
    sys.modules["__main__"] = module
    for path in {str(folder), str((folder / PurePosixPath(main)).parent)}:
        sys.path.insert(0, path)
    return module


def _load_definitions(data: bytes, main: str, module: ModuleType, notes: Notes, folder: Path) -> Submission:
    stubs.install_notebook_names()
    install_helpers(folder, main, notes)
    loader = DefinitionLoader(vars(module), notes)
    if main.endswith(".py"):
        loader.load(main, _parse_main(data, main, notes))
    else:
        for cell in read_cells(data):
            tree = prepare(cell, notes, folder)
            if tree is not None:
                loader.load(cell.name, tree)
    if notes.dropped:
        count, places = sum(notes.dropped.values()), ", ".join(notes.dropped)
        message = f"Only definitions are loaded; {count} top-level statements were not run ({places})."
        notes.remark("not_run", message)
    return Submission(vars(module), notes, folder, loader.lazy)


def _parse_main(data: bytes, main: str, notes: Notes) -> ast.Module:
    """The main file's tree. Raises HarnessError naming the line that isn't Python."""
    try:
        return parse_file(main, decode_source(data), notes)
    except (ValueError, RecursionError, MemoryError) as error:
        raise HarnessError(Kind.EXCEPTION, f"{main} can't be parsed: {message_of(error)}", "SyntaxError") from error


def _run_all(data: bytes, main: str, module: ModuleType, notes: Notes, folder: Path) -> tuple[Submission, list[bytes]]:
    from harness.shell import Figures, NotebookShell

    figures = Figures(notes)
    vars(module)[HOOK] = _import_hook(notes)
    if main.endswith(".py"):
        tree = HardenImports().visit(_parse_main(data, main, notes))
        _run_script(tree, main, module, notes)
        figures.collect(main)
        hidden: set[str] = set()
    else:
        shell = NotebookShell(module)
        hidden = shell.hidden()
        for cell in read_cells(data):
            _run_cell(shell, cell, notes, folder)
            figures.collect(cell.name)
    submission = Submission(vars(module), notes, folder)
    submission.hidden = frozenset(hidden - {name for _, tree in notes.trees for name in bound_names(tree.body)})
    return submission, figures.images


def _run_script(tree: ast.Module, main: str, module: ModuleType, notes: Notes) -> None:
    try:
        exec(compile_chunk(tree.body, main), vars(module))
    except BaseException as error:
        _remark_failure(notes, error, main)


def _run_cell(shell: Any, cell: Cell, notes: Notes, folder: Path) -> None:
    here = Path.cwd()
    tree = prepare(cell, notes, here if here.is_relative_to(folder) else folder, IPYTHON)
    importlib.invalidate_caches()
    error = shell.run(cell, None if tree is None else SOURCES.text(cell.name))
    if error is not None:
        _remark_failure(notes, error, cell.name)


def _remark_failure(notes: Notes, error: BaseException, place: str) -> None:
    kind = kind_of(error)
    code = "cell_failed" if kind is Kind.EXCEPTION else kind.value
    notes.remark(code, f"{type(error).__name__}: {advice_of(error)}", where_of(error) or place)


def _import_hook(notes: Notes) -> Any:
    def failed(error: ImportError, name: str) -> Placeholder:
        notes.imports(error, where_of(error))
        return Placeholder(name, explain(error))

    return failed
