"""Reads hostile Python text into facts: calls, names, imports, definitions, loops, each with file and line.

Nothing is run. Text that is too long, too deep or no Python gives a trouble in words, never an exception.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder import python_text

MAX_CODE = python_text.MAX_CHARS  # of one file
MAX_ALL = 800_000
_MOST_REPAIRS = 20  # of text that is short enough to be parsed so often
_SHORT = 100_000
_LONGEST_CHAIN = 50  # of attributes; a task's names have a handful
_LOOPS = {
    ast.For: "for loop",
    ast.AsyncFor: "for loop",
    ast.While: "while loop",
    ast.ListComp: "comprehension",
    ast.SetComp: "comprehension",
    ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension",
}


@dataclass(frozen=True)
class Use:
    """Something that occurs. name: dotted, import aliases resolved (`F.relu` is `torch.nn.functional.relu`)."""

    name: str
    place: str


@dataclass
class Code:
    """All files together. files: name → tree; troubles: what could not be read, in words."""

    files: dict[str, ast.Module] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    within: str = ""
    calls: list[Use] = field(default_factory=list)
    names: list[Use] = field(default_factory=list)
    imports: list[Use] = field(default_factory=list)
    definitions: list[Use] = field(default_factory=list)
    loops: list[Use] = field(default_factory=list)

    def narrow(self, name: str) -> bool:
        """Keep only facts from definitions of that name (`f`, `C` or `C.f`). False if there is none.

        Imports and definitions stay those of the whole text.
        """
        self.within, self.calls, self.names, self.loops = name, [], [], []
        found = False
        for file, tree in self.files.items():
            aliases = _aliases(tree)
            for node in _definitions_of(tree, name):
                found = True
                self._look(file, node, aliases)
        return found

    def _look(self, file: str, root: ast.AST, aliases: dict[str, str]) -> None:
        for node in ast.walk(root):
            place = f"{file}, line {getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                self.calls.append(Use(_dotted(node.func, aliases), place))
            elif isinstance(node, ast.Name | ast.Attribute):
                self.names.append(Use(_dotted(node, aliases), place))
            elif type(node) in _LOOPS:
                self.loops.append(Use(_LOOPS[type(node)], place))

    def _whole(self, file: str, tree: ast.Module) -> None:
        aliases = _aliases(tree)
        self._look(file, tree, aliases)
        for node in ast.walk(tree):
            place = f"{file}, line {getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.definitions.append(Use(node.name, place))
            elif isinstance(node, ast.Import):
                self.imports += [Use(alias.name, place) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                self.imports += [Use(f"{module}.{alias.name}", place) for alias in node.names]


def read(files: Sequence[tuple[str, Any]]) -> Code:
    """Every file that can be read, in order."""
    code, size = Code(), 0
    for given, content in files:
        name = given or "your file"
        if type(content) is not str or not content.strip():
            continue
        size += len(content)
        if len(content) > MAX_CODE or size > MAX_ALL:
            code.troubles.append(f"{name} is too long to be read.")
            continue
        tree, trouble = _parsed(name, content)
        if trouble:
            code.troubles.append(trouble)
        if tree is not None:
            code.files[name] = tree
            code._whole(name, tree)
    return code


def _parsed(name: str, content: str) -> tuple[ast.Module | None, str]:
    """The tree, without the top-level statements that are no Python; and what is wrong in words."""
    lines, trouble = content.replace("\0", " ").splitlines(), ""
    for _ in range(_MOST_REPAIRS if len(content) <= _SHORT else 3):
        try:
            tree = python_text.parse("\n".join(lines))
        except SyntaxError as error:
            line = min(max(error.lineno or 1, 1), max(len(lines), 1))
            trouble = trouble or f"{name} is no valid Python in line {line}."
            if not _drop(lines, line - 1):
                return None, trouble
        except (ValueError, RecursionError, MemoryError):
            return None, f"{name} is nested too deeply, or is no text that Python can read."
        else:
            return (tree, trouble) if tree.body else (None, trouble)
    return None, trouble


def _drop(lines: list[str], at: int) -> bool:
    """Blank the top-level statement around a line; False if nothing was left to blank."""
    first = at
    while first > 0 and not _opens(lines[first]):
        first -= 1
    last = at + 1
    while last < len(lines) and not _opens(lines[last]):
        last += 1
    if not any(lines[first:last]):
        return False
    lines[first:last] = [""] * (last - first)
    return True


def _opens(line: str) -> bool:
    """True if a top-level statement may begin in this line."""
    return bool(line) and (line[0].isalpha() or line[0] in "_@")


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name → what it was imported as: {"F": "torch.nn.functional"}."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    """A dotted name; what hangs on something else than a name, or on very many, begins with `?`."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _LONGEST_CHAIN:
        parts.append(node.attr)
        node = node.value
    root = aliases.get(node.id, node.id) if isinstance(node, ast.Name) else "?"
    return ".".join([root, *reversed(parts)])[:300]


def _definitions_of(tree: ast.AST, name: str) -> Iterator[ast.AST]:
    """The definitions of that name; one inside another of the same name is a part of that, and not told again."""
    outer, _, inner = name.rpartition(".")
    if outer:
        for node in _outermost(tree, outer):
            yield from _outermost(node, inner)
    else:
        yield from _outermost(tree, inner)


def _outermost(root: ast.AST, name: str) -> Iterator[ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    waiting = deque(ast.iter_child_nodes(root))
    while waiting:
        node = waiting.popleft()
        if isinstance(node, kinds) and node.name == name:
            yield node
        else:
            waiting.extend(ast.iter_child_nodes(node))
