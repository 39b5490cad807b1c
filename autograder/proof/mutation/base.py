"""What a mutation operator is: it looks at one node of a syntax tree and offers wrong versions of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst


@dataclass(frozen=True)
class Names:
    """What a file calls things, so that no mutant names what is not there.

    torch, functional: as bound at top level, or empty. learns: torch is imported in some way. losses: variables and
    attributes that hold a loss. own: functions of the file.
    """

    torch: str = ""
    functional: str = ""
    learns: bool = False
    losses: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Where:
    """The surroundings of a node. parents: outermost first."""

    parents: tuple[cst.CSTNode, ...]
    names: Names = Names()

    @property
    def parent(self) -> cst.CSTNode:
        """The node around this one."""
        return self.parents[-1]

    @property
    def function(self) -> str:
        """Name of the innermost function, or empty at top level."""
        return next((n.name.value for n in reversed(self.parents) if isinstance(n, cst.FunctionDef)), "")


Change = tuple[cst.CSTNode, str]  # the new node, and what it is in words
Operator = Callable[[cst.CSTNode, Where], Iterator[Change]]
OPERATORS: dict[str, Operator] = {}


def operator(name: str) -> Callable[[Operator], Operator]:
    """Register an operator under a name."""

    def register(function: Operator) -> Operator:
        OPERATORS[name] = function
        return function

    return register


def called(node: cst.CSTNode) -> str:
    """The last part of a called name (`relu` for `F.relu(x)`), or empty if the node is no such call."""
    if not isinstance(node, cst.Call):
        return ""
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return node.func.value if isinstance(node.func, cst.Name) else ""


def receiver(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What a method is called on (`x` of `x.sum()`), or None."""
    return node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None


def dotted(node: cst.CSTNode | None) -> str:
    """`self.conv` as text; empty for anything but names and attributes."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr.value}"
    return ""


def positional(call: cst.Call) -> list[cst.Arg]:
    """Arguments without a keyword or star."""
    return [arg for arg in call.args if arg.keyword is None and not arg.star]


def with_argument(call: cst.Call, old: cst.Arg, value: cst.BaseExpression) -> cst.Call:
    """The call with one argument's value replaced."""
    return call.with_changes(args=[a.with_changes(value=value) if a is old else a for a in call.args])


def whole(node: cst.CSTNode) -> int | None:
    """The value of a whole-number literal, with or without a minus."""
    if isinstance(node, cst.Integer):
        return int(node.evaluated_value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = whole(node.expression)
        return None if inner is None else -inner
    return None


def expression(text: str) -> cst.BaseExpression:
    """Python text as an expression."""
    return cst.parse_expression(text)


def code(node: cst.CSTNode) -> str:
    """A node as Python text."""
    return cst.Module([]).code_for_node(node)
