"""All mutants of a solution, and the plants that tell whether a piece of code is run at all."""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from autograder.proof.mutation import learning, plain
from autograder.proof.mutation.base import OPERATORS, Where, dotted
from autograder.proof.mutation.names import names_in
from autograder.proof.mutation.source import Part, parts, rebuilt, with_magics, without_magics
from autograder.specs.solutions import Solution

MODULES = (learning, plain)  # importing them fills OPERATORS
_DEFINES = (cst.FunctionDef, cst.ClassDef)
_QUIET_CALLS = {"print", "warn", "display"}


@dataclass(frozen=True)
class Spot:
    """A statement that can be planted with a failure. function: index of its function in the part, -1: top level."""

    part: Part
    line: int
    function: int


@dataclass(frozen=True)
class Mutant:
    """One mistake in one solution."""

    solution: Solution
    operator: str
    what: str
    spot: Spot
    text: str  # the whole part, changed

    @property
    def data(self) -> bytes:
        """The upload with the mistake in it."""
        return rebuilt(self.solution.filename, self.solution.data, [(self.spot.part, self.text)])

    @property
    def line(self) -> tuple[str, str]:
        """The first changed line before and after, without its indentation."""
        before, after = self.spot.part.text.splitlines(), self.text.splitlines()
        for old, new in zip(before, after, strict=False):
            if old != new:
                return old.strip(), new.strip()
        return "", ""

    def diff(self) -> str:
        """What was changed, as a unified diff."""
        before, after = self.spot.part.text.splitlines(), self.text.splitlines()
        name = f"{self.solution.name}: {self.spot.part.place}"
        return "\n".join(difflib.unified_diff(before, after, name, f"{self.operator}: {self.what}", "", "", 1, ""))


@dataclass(frozen=True)
class Tree:
    """A part parsed."""

    part: Part
    module: cst.Module
    magics: tuple[str, ...]
    functions: tuple[cst.FunctionDef, ...]
    where: dict[cst.CSTNode, CodeRange]

    def changed(self, old: cst.CSTNode, new: cst.CSTNode) -> str | None:
        """The part's text with a node replaced; None if that is no Python."""
        try:
            module = self.module.deep_replace(old, new)
            code = module.code if isinstance(module, cst.Module) else ""
            compile(code, "mutant", "exec", dont_inherit=True)
        except (cst.CSTValidationError, SyntaxError, ValueError, TypeError):
            return None
        return with_magics(code, self.magics)


def trees(solution: Solution) -> list[Tree]:
    """Every part of a solution that is Python."""
    found = []
    for part in parts(solution.filename, solution.data):
        text, taken = without_magics(part.text)
        try:
            wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        except cst.ParserSyntaxError:
            continue
        positions = wrapper.resolve(PositionProvider)
        functions = tuple(node for node, _ in walk(wrapper.module) if isinstance(node, cst.FunctionDef))
        found.append(Tree(part, wrapper.module, tuple(taken), functions, dict(positions)))
    return found


def walk(
    node: cst.CSTNode, above: tuple[cst.CSTNode, ...] = ()
) -> Iterator[tuple[cst.CSTNode, tuple[cst.CSTNode, ...]]]:
    """Every node with its parents, outermost first; annotations, docstrings, imports and prints are passed over."""
    yield node, above
    for child in node.children:
        if not _uninteresting(child, node):
            yield from walk(child, (*above, node))


def _uninteresting(node: cst.CSTNode, parent: cst.CSTNode) -> bool:
    if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom | cst.Decorator | cst.BaseString | cst.Assert):
        return True
    if isinstance(node, cst.If) and "__name__" in cst.Module([]).code_for_node(node.test):
        return True
    if isinstance(node, cst.Expr):
        value = node.value
        return isinstance(value, cst.BaseString) or (isinstance(value, cst.Call) and dotted(value.func) in _QUIET_CALLS)
    return isinstance(parent, cst.Raise)


def mutants(solution: Solution) -> list[Mutant]:
    """Every mutant of a solution, each text once, in an order that is shuffled but always the same."""
    every = trees(solution)
    names = {file: names_in([t.module for t in every if t.part.file == file]) for file in {t.part.file for t in every}}
    found: dict[str, Mutant] = {}
    for tree in every:
        for node, above in walk(tree.module):
            if not above:
                continue
            where = Where(above, names[tree.part.file])
            for name, offer in OPERATORS.items():
                for new, what in offer(node, where):
                    text = tree.changed(node, new)
                    if text is not None and text != tree.part.text:
                        mutant = Mutant(solution, name, what, _spot(tree, node, above), text)
                        found.setdefault(f"{tree.part.place}\0{text}", mutant)
    order = list(found.values())
    random.Random(0).shuffle(order)
    return order


def _spot(tree: Tree, node: cst.CSTNode, above: Sequence[cst.CSTNode]) -> Spot:
    chain = [*above, node]
    inside = [n for n in chain if isinstance(n, cst.FunctionDef)]
    function = next((i for i, f in enumerate(tree.functions) if inside and f is inside[-1]), -1)
    statement = next(n for n in reversed(chain) if isinstance(n, cst.SimpleStatementLine | cst.BaseCompoundStatement))
    return Spot(tree.part, tree.where[statement].start.line, function)


# --------------------------------------------------------------------------------------------------------- plants


def planted_functions(solution: Solution, spots: Sequence[Spot]) -> bytes:
    """The solution with a failure at the start of each of these functions."""
    changes = []
    for tree in trees(solution):
        wanted = {s.function for s in spots if s.part == tree.part and s.function >= 0}
        lines = tree.module.code.splitlines()
        for index in sorted(wanted, key=lambda i: -_body_start(tree, i)[0]):
            line, indent = _body_start(tree, index)
            lines.insert(line, f"{indent}raise RuntimeError('planted')")
        if wanted:
            changes.append((tree.part, with_magics("\n".join(lines) + "\n", tree.magics)))
    return rebuilt(solution.filename, solution.data, changes)


def _body_start(tree: Tree, function: int) -> tuple[int, str]:
    """Index of the first line of a function's body, and its indentation."""
    body = tree.functions[function].body
    if not isinstance(body, cst.IndentedBlock):
        raise ValueError("a function on one line")
    start = tree.where[body.body[0]].start
    return start.line - 1, " " * start.column


def planted_lines(solution: Solution, spots: Sequence[Spot]) -> bytes | None:
    """The solution with these statements replaced: by a failure inside functions, by nothing at top level.

    None if that leaves no Python.
    """
    changes = []
    for tree in trees(solution):
        wanted = {(s.line, s.function) for s in spots if s.part == tree.part}
        module: cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode] = tree.module
        for node, _above in walk(tree.module):
            if not isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                continue
            line = tree.where[node].start.line
            match = next((w for w in wanted if w[0] == line), None)
            if match is None or not isinstance(module, cst.CSTNode):
                continue
            text = "raise RuntimeError('planted')" if match[1] >= 0 else "pass"
            module = module.deep_replace(node, cst.parse_statement(text))
            wanted.discard(match)
        if isinstance(module, cst.Module) and module is not tree.module:
            try:
                compile(module.code, "planted", "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                return None
            changes.append((tree.part, with_magics(module.code, tree.magics)))
    return rebuilt(solution.filename, solution.data, changes)
