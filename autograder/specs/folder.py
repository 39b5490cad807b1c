"""A spec's folder: which files make it what it is, their digest, and the trusted Python beside spec.yaml."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from autograder.errors import SpecError

TEMPLATE = "_template"  # folder, among the specs, of the one that a new spec is copied from
# The handout and what belongs to it: students read it, no grade depends on it.
_HANDOUT = frozenset({"README.md", "starter", "img"})


def spec_files(folder: Path) -> list[Path]:
    """Every file that a grade can depend on, sorted: all but the handout, hidden files and Python's caches."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)
        and path.relative_to(folder).parts[0] not in _HANDOUT
    )


def digest_of(folder: Path) -> str:
    """SHA-256 over names and contents of the spec's files."""
    total = hashlib.sha256()
    for path in spec_files(folder):
        content = hashlib.sha256(path.read_bytes()).digest()
        total.update(path.relative_to(folder).as_posix().encode() + b"\0" + content)
    return total.hexdigest()


def load_module(folder: Path, file: str, digest: str) -> ModuleType:
    """A trusted Python file of the folder as a module. It may import its siblings: `from .reference import layer`.

    The folder acts as a package whose name carries its digest, so that two specs never share a module and a changed
    folder is read anew. Raises SpecError if the file is missing or can't be imported.
    """
    path = folder / file
    if not path.is_file():
        raise SpecError(f"{path}: there is no such file", "Write it, or take its name out of spec.yaml.")
    package = f"grader_spec_{hashlib.sha256(f'{folder.resolve()} {digest}'.encode()).hexdigest()[:24]}"
    if package not in sys.modules:
        made = importlib.util.module_from_spec(ModuleSpec(package, None, is_package=True))
        made.__path__ = [str(folder)]
        sys.modules[package] = made
    name = f"{package}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise SpecError(f"{path}: is no Python file", "Its name must end with .py.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and relative imports look their module up there
    try:
        found.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = getattr(error, "lineno", None) or line_in(path, error)
        raise SpecError(f"{path}:{line}: {type(error).__name__}: {error}", "Repair this line.") from error
    return module


def line_in(path: Path, error: Exception) -> int:
    """The line of the file that an exception went through last; 1 if it did not."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
