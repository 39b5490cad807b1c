"""Definitions-only loading, the doing half: runs what `definitions` kept, for the main file and its helper modules."""

from __future__ import annotations
import __future__

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from harness.definitions import Sorter, Step, Unit, is_too_deep
from harness.errors import SOURCES, BadRequest, message_of, where_of
from harness.lazy import LazyStore
from harness.notebook import Cell, Cleaned, clean, skipped_magic
from harness.packages import explain, run_import

MAX_REMARKS = 60
TOO_DEEP = "nests expressions too deeply to be read"


@dataclass(slots=True)
class Notes:
    """What loading found out beside the namespace.

    remarks: {code, message, where}. trees: chunk name → its syntax tree, in order. failed: definitions that raised.
    """

    remarks: list[dict[str, str]] = field(default_factory=list)
    trees: list[tuple[str, ast.Module]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def remark(self, code: str, message: str, where: str = "") -> None:
        """Add a remark once."""
        entry = {"code": code, "message": message[:2000], "where": where[:200]}
        if entry not in self.remarks and len(self.remarks) < MAX_REMARKS:
            self.remarks.append(entry)

    def imports(self, error: ImportError, where: str) -> None:
        """Remark on an import that failed."""
        missing = isinstance(error, ModuleNotFoundError)
        self.remark("missing_package" if missing else "import_failed", explain(error), where)


class DefinitionLoader:
    """Loads chunks of source (cells, or one file) into a namespace, definitions only."""

    def __init__(self, namespace: dict[str, Any], notes: Notes) -> None:
        self.namespace = namespace
        self.notes = notes
        self._sorter = Sorter()
        self._flags: dict[int, tuple[str, int]] = {}
        self.lazy = LazyStore(namespace, self._run, self._sorter)

    def load(self, name: str, tree: ast.Module) -> None:
        """Run what is kept of one chunk. What a definition raises becomes a remark."""
        future = _future_flags(tree)
        for unit in self._sorter.sort(tree.body):
            self._flags[id(unit.node)] = (name, future)
            self._take(unit, name)

    def _take(self, unit: Unit, name: str) -> None:
        if unit.step is Step.DROPPED:
            if not _is_docstring(unit.node):
                self.notes.dropped[name] = self.notes.dropped.get(name, 0) + 1
            return
        if unit.step is Step.LAZY:
            self.lazy.add(unit)
            return
        try:
            self._run(unit)
        except BaseException as error:
            self._failed(unit, name, error)
        else:
            for bound in () if unit.in_place else unit.names:
                self.lazy.forget(bound)
                self.notes.failed.pop(bound, None)

    def _failed(self, unit: Unit, name: str, error: BaseException) -> None:
        where = where_of(error) or f"{name}, line {unit.node.lineno}"
        if unit.step is Step.SIMPLE:
            self.lazy.add(unit)
            return
        if isinstance(error, ImportError):
            self.notes.imports(error, where)
        reason = f"{type(error).__name__}: {message_of(error)}"
        for bound in unit.names:
            self.notes.failed[bound] = f"`{bound}` ({where}) could not be defined: {reason}"
            self.notes.remark("definition_failed", self.notes.failed[bound], where)

    def _run(self, unit: Unit) -> None:
        if unit.step is Step.IMPORT and isinstance(unit.node, ast.Import | ast.ImportFrom):
            where = f"{self._flags[id(unit.node)][0]}, line {unit.node.lineno}"
            run_import(
                unit.node,
                self.namespace,
                lambda single: self._execute(single, unit.node),
                lambda error: self.notes.imports(error, where),
            )
        else:
            self._execute(unit.node, unit.node)

    def _execute(self, statement: ast.stmt, origin: ast.stmt) -> None:
        filename, flags = self._flags[id(origin)]
        exec(compile_chunk([statement], filename, flags), self.namespace)


def compile_chunk(body: Sequence[ast.stmt], filename: str, flags: int = 0) -> CodeType:
    """Statements as code under the student's own file name, without our own future flags."""
    module = ast.Module(body=list(body), type_ignores=[])
    code: CodeType = compile(module, filename, "exec", flags=flags, dont_inherit=True)
    return code


def _future_flags(tree: ast.Module) -> int:
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(getattr(__future__, alias.name, None), "compiler_flag", 0)
    return flags


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def prepare(cell: Cell, notes: Notes, folder: Path, magics: Iterable[str] = ()) -> ast.Module | None:
    """Clean and parse a cell, note what was skipped, write the file of a %%writefile cell. None: nothing to run.

    magics: those that are not skipped after all.
    """
    cleaned: Cleaned = clean(cell.text)
    unsaid = {skipped_magic(name) for name in magics}
    for line, code, message in cleaned.notes:
        if message not in unsaid:
            notes.remark(code, message, f"{cell.name}, line {line}")
    if cleaned.file is not None:
        name, content, append = cleaned.file
        try:
            write_file(folder, name, content.encode("utf-8", "replace"), append=append)
        except (OSError, BadRequest) as error:
            notes.remark("file_not_written", f"%%writefile {name}: {message_of(error)}", cell.name)
    if cleaned.code is None:
        return None
    SOURCES.add(cell.name, cleaned.code)
    tree = ast.parse(cleaned.code, cell.name)
    if is_too_deep(tree):
        notes.remark("unparsable_cell", f"This cell {TOO_DEEP}; it was left out.", cell.name)
        return None
    notes.trees.append((cell.name, tree))
    return tree


def write_file(folder: Path, name: str, data: bytes, append: bool = False) -> Path:
    """Write a submission's file below `folder`. Raises BadRequest for a name that leads elsewhere."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\x00" in name:
        raise BadRequest(f"the file name {name!r} leads out of the submission; use a plain relative name")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab" if append else "wb") as file:
        file.write(data)
    return target


def decode_source(data: bytes) -> str:
    """A .py file's text, by its coding line or as UTF-8."""
    try:
        return importlib.util.decode_source(data)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return data.decode("utf-8", "replace")


class HelperFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a submission's helper modules, definitions only, so that a helper that trains does not train."""

    def __init__(self, folder: Path, roots: Sequence[Path], notes: Notes) -> None:
        self._folder = folder
        self._roots = roots
        self._notes = notes

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for a .py file or package below the submission's folder."""
        del target
        last = fullname.rpartition(".")[2]
        places = self._roots if path is None else [Path(p) for p in path if self._folder in (Path(p), *Path(p).parents)]
        for place in places:
            stem = place / last
            for file, package in ((stem / "__init__.py", True), (place / f"{last}.py", False)):
                if file.is_file():
                    inside = [str(stem)] if package else None
                    return importlib.util.spec_from_file_location(
                        fullname, file, loader=self, submodule_search_locations=inside
                    )
            if stem.is_dir() and any(stem.glob("*.py")):
                spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
                spec.submodule_search_locations = [str(stem)]
                return spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Load the file's definitions into the module. Raises SyntaxError as any import would."""
        assert module.__file__ is not None
        file = Path(module.__file__)
        label = file.relative_to(self._folder).as_posix()
        tree = parse_file(label, decode_source(file.read_bytes()), self._notes)
        DefinitionLoader(vars(module), self._notes).load(label, tree)


def install_helpers(folder: Path, main: str, notes: Notes) -> None:
    """Make helper modules importable: those beside the main file first of all, those in other folders last of all.

    The latter are what a `sys.path.append` would have named, had it been run.
    """
    near = list(dict.fromkeys([folder, (folder / main).parent]))
    inner = sorted({file.parent for file in folder.rglob("*.py")} - set(near), key=lambda p: (len(p.parts), p))
    sys.meta_path.insert(0, HelperFinder(folder, near, notes))
    sys.meta_path.append(HelperFinder(folder, inner, notes))


def parse_file(label: str, text: str, notes: Notes) -> ast.Module:
    """A .py file's tree; notebook leftovers (`!pip …`) are cleaned out. Raises SyntaxError naming the file."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    SOURCES.add(label, text)
    try:
        tree = ast.parse(text, label)
    except SyntaxError:
        cleaned = clean(text)
        if cleaned.code is None:
            raise
        for line, code, message in cleaned.notes:
            notes.remark(code, message, f"{label}, line {line}")
        tree = ast.parse(cleaned.code, label)
    if is_too_deep(tree):
        raise SyntaxError(f"{label} {TOO_DEEP}")
    notes.trees.append((label, tree))
    return tree
