"""Definitions-only loading, the reading half: which top-level statements of a file are kept. Looks at code, runs none.

Kept: imports, classes, functions (`DEFINE`) and plain constants (`SIMPLE`). Other assignments are kept for the day
somebody asks for the name (`LAZY`). Everything else, training loops above all, is left out (`DROPPED`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """What loading does with a top-level statement."""

    IMPORT = "import"
    DEFINE = "define"
    SIMPLE = "simple"
    LAZY = "lazy"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Unit:
    """One top-level statement with its fate. names: what it binds, or changes in place."""

    step: Step
    node: ast.stmt
    names: tuple[str, ...] = ()
    in_place: bool = False


_BUILTINS = """range len enumerate zip dict list tuple set frozenset sorted reversed str int float bool min max sum
    round abs slice type"""
_CHEAP = """torch.device torch.cuda.is_available torch.cuda.device_count torch.backends.mps.is_available torch.tensor
    torch.backends.mps.is_built math.sqrt math.log math.ceil math.floor os.path.join np.sqrt np.log numpy.sqrt
    numpy.log namedtuple collections.namedtuple TypeVar typing.TypeVar"""
BUILTIN_CALLS = frozenset(_BUILTINS.split())
CHEAP_CALLS = BUILTIN_CALLS | frozenset(_CHEAP.split())
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_DISPLAYS: tuple[type[ast.expr], ...] = (ast.Tuple, ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue)
_PLAIN = (*_DISPLAYS, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Starred)


class Sorter:
    """Sorts the statements of one file or of all cells of a notebook, in order; it remembers what is known."""

    def __init__(self) -> None:
        self.known: set[str] = set(BUILTIN_CALLS)
        self.imported: set[str] = set()
        self.classes: set[str] = set()
        self.trainers: set[str] = set()

    def sort(self, body: Sequence[ast.stmt]) -> list[Unit]:
        """The fate of each statement."""
        units = []
        for node in body:
            unit = self._sort_one(node)
            self._learn(unit)
            units.append(unit)
        return units

    def _sort_one(self, node: ast.stmt) -> Unit:
        if isinstance(node, _IMPORTS):
            return Unit(Step.IMPORT, node, tuple(bound_names([node])))
        if isinstance(node, _DEFINITIONS):
            return Unit(Step.DEFINE, node, (node.name,))
        if isinstance(node, _ASSIGNMENTS):
            return self._assignment(node)
        if isinstance(node, ast.If | ast.Try | ast.With):
            return self._compound(node)
        return Unit(Step.DROPPED, node)

    def _learn(self, unit: Unit) -> None:
        if unit.step is Step.LAZY:
            self.known -= set(unit.names)
        elif unit.step is not Step.DROPPED:
            self.known |= set(unit.names)
        if unit.step in (Step.IMPORT, Step.DEFINE):
            self.imported |= {name for node in ast.walk(unit.node) if isinstance(node, _IMPORTS) for name in unit.names}
        if isinstance(unit.node, ast.ClassDef):
            self.classes.add(unit.node.name)
        if isinstance(unit.node, _DEFINITIONS) and (trains(unit.node) or called_names(unit.node) & self.trainers):
            self.trainers.add(unit.node.name)

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Unit:
        if node.value is None:
            return Unit(Step.DROPPED, node)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = tuple(bound_names([node]))
        bases = {base for target in targets if (base := _base_name(target))}
        if (names and bases) or len(bases) > 1:
            return Unit(Step.DROPPED, node)
        simple = self.is_simple(node.value)
        if bases:
            return Unit(self._change(next(iter(bases)), node.value, simple), node, tuple(bases), in_place=True)
        if isinstance(node, ast.AugAssign):
            step = Step.SIMPLE if simple and set(names) <= self.known else Step.LAZY
            return Unit(step, node, names, in_place=True)
        return Unit(Step.SIMPLE if simple else Step.LAZY, node, names)

    def _change(self, base: str, value: ast.expr, simple: bool) -> Step:
        """The fate of `base.x = value`: modules and classes are changed at once or not at all."""
        if base in self.imported or base in self.classes:
            plain = simple or (base in self.classes and isinstance(value, ast.Name | ast.Attribute))
            return Step.SIMPLE if plain else Step.DROPPED
        return Step.SIMPLE if simple and base in self.known else Step.LAZY

    def _compound(self, node: ast.If | ast.Try | ast.With) -> Unit:
        """An `if`, `try` or `with` keeps its imports, definitions and assignments and loses the rest."""
        if isinstance(node, ast.If) and is_main_guard(node.test):
            return Unit(Step.DROPPED, node)
        kept = _Filter().filtered(node)
        if kept is None:
            return Unit(Step.DROPPED, node)
        names = tuple(bound_names([kept]))
        if any(isinstance(inner, (*_IMPORTS, *_DEFINITIONS)) for inner in ast.walk(kept)):
            return Unit(Step.DEFINE, kept, names)
        tests = [kept.test] if isinstance(kept, ast.If) else []
        values = [n.value for n in ast.walk(kept) if isinstance(n, ast.Assign | ast.AnnAssign) and n.value]
        simple = isinstance(kept, ast.If) and all(self.is_simple(value) for value in [*tests, *values])
        return Unit(Step.SIMPLE if simple and not _has_block(kept) else Step.LAZY, kept, names)

    def is_simple(self, node: ast.expr) -> bool:
        """True if the expression is cheap and needs only what is known: literals, arithmetic, devices, lambdas."""
        if isinstance(node, ast.Constant | ast.Lambda):
            return True
        if isinstance(node, ast.Name):
            return node.id in self.known
        if isinstance(node, ast.Attribute):
            root = _root(node)
            return root is not None and root in self.imported
        if isinstance(node, ast.Call):
            if dotted(node.func) not in CHEAP_CALLS:
                return False
            return all(self.is_simple(n) for n in [*node.args, *(k.value for k in node.keywords)])
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return self._simple_comprehension(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift) and not _is_number(node.right):
            return False
        if not isinstance(node, _PLAIN):
            return False
        return all(self.is_simple(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    def _simple_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> bool:
        if not all(self.is_simple(g.iter) for g in node.generators):
            return False
        own = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        new = own - self.known
        self.known |= new
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        simple = all(self.is_simple(part) for part in [*parts, *(test for g in node.generators for test in g.ifs)])
        self.known -= new
        return simple


class _Filter:
    """Drops from a compound statement what definitions-only loading would not run."""

    def filtered(self, node: ast.If | ast.Try | ast.With) -> ast.If | ast.Try | ast.With | None:
        """A copy without loops and calls, or None if nothing is left."""
        body = self._block(node.body)
        if isinstance(node, ast.With):
            kept: ast.If | ast.Try | ast.With = ast.With(items=node.items, body=body or [ast.Pass()])
            keep = bool(body)
        elif isinstance(node, ast.If):
            orelse = self._block(node.orelse)
            kept = ast.If(test=node.test, body=body or [ast.Pass()], orelse=orelse)
            keep = bool(body or orelse)
        else:
            handlers = [self._handler(handler) for handler in node.handlers]
            orelse, final = self._block(node.orelse), self._block(node.finalbody)
            kept = ast.Try(body=body or [ast.Pass()], handlers=handlers, orelse=orelse, finalbody=final)
            keep = bool(body or orelse or final)
        return ast.fix_missing_locations(ast.copy_location(kept, node)) if keep else None

    def _handler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        kept = ast.ExceptHandler(type=node.type, name=node.name, body=self._block(node.body) or [ast.Pass()])
        return ast.copy_location(kept, node)

    def _block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        kept: list[ast.stmt] = []
        for node in body:
            if isinstance(node, (*_IMPORTS, *_DEFINITIONS)) or (isinstance(node, _ASSIGNMENTS) and bound_names([node])):
                kept.append(node)
            elif isinstance(node, ast.If | ast.Try | ast.With) and (inner := self.filtered(node)) is not None:
                kept.append(inner)
        return kept


def bound_names(body: Iterable[ast.stmt]) -> list[str]:
    """Names that the statements bind at their own level, in order, each once."""
    names: dict[str, None] = {}
    for node in body:
        if isinstance(node, _DEFINITIONS):
            names[node.name] = None
        elif isinstance(node, _IMPORTS):
            names.update((alias.asname or alias.name.split(".")[0], None) for alias in node.names if alias.name != "*")
        elif isinstance(node, _ASSIGNMENTS):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update((name, None) for target in targets for name in _target_names(target))
        else:
            blocks = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
            blocks += [handler.body for handler in getattr(node, "handlers", [])]
            names.update((name, None) for block in blocks for name in bound_names(block))
    return list(names)


def _target_names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Starred):
        return _target_names(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        return [name for item in target.elts for name in _target_names(item)]
    return []


def _base_name(target: ast.expr) -> str | None:
    """`x` of `x.a`, `x[0]`, `x.a[0].b` as a target; None for other targets."""
    return _root(target) if isinstance(target, ast.Attribute | ast.Subscript) else None


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of attributes on a name, else an empty string."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def is_main_guard(test: ast.expr) -> bool:
    """True for a test of `__name__`."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def is_too_deep(tree: ast.AST, limit: int = 200) -> bool:
    """True if the tree is so deep that walking it by recursion could fail."""
    level, depth = [tree], 0
    while level and depth <= limit:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth > limit


def trains(node: ast.AST) -> bool:
    """True if the code runs a backward pass somewhere."""
    return any(isinstance(n, ast.Attribute) and n.attr == "backward" for n in ast.walk(node))


def called_names(node: ast.AST) -> set[str]:
    """Plain names called anywhere in the code."""
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value <= 64


def _has_block(node: ast.stmt) -> bool:
    return any(isinstance(n, ast.Try | ast.With) for n in ast.walk(node))
