"""Mistakes of any program: constants, comparisons, arithmetic, arguments, conditions, calls."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from autograder.proof.mutation.base import (
    Change,
    Where,
    called,
    code,
    expression,
    operator,
    positional,
    receiver,
    whole,
)

_FLIPS: dict[type[cst.BaseCompOp], tuple[type[cst.BaseCompOp], ...]] = {
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThanEqual),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThan),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThanEqual),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThan),
    cst.Equal: (cst.NotEqual,),
    cst.NotEqual: (cst.Equal,),
    cst.Is: (cst.IsNot,),
    cst.IsNot: (cst.Is,),
    cst.In: (cst.NotIn,),
    cst.NotIn: (cst.In,),
}
_SPACES = {"whitespace_before": cst.SimpleWhitespace(" "), "whitespace_after": cst.SimpleWhitespace(" ")}
_ARITHMETIC: dict[type[cst.BaseBinaryOp], type[cst.BaseBinaryOp]] = {
    cst.Add: cst.Subtract,
    cst.Subtract: cst.Add,
    cst.Multiply: cst.Divide,
    cst.Divide: cst.Multiply,
    cst.Power: cst.Multiply,
    cst.Modulo: cst.FloorDivide,
    cst.MatrixMultiply: cst.Multiply,
}
_IN_PLACE: dict[type[cst.BaseAugOp], type[cst.BaseAugOp]] = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
}
_QUIET = {"print", "tqdm", "trange", "display", "show", "seed", "manual_seed", "super", "format", "set_description"}
_KEEPS = {"int", "float", "abs", "sqrt", "exp", "log", "sorted", "reversed", "unique", "clip", "clamp", "round"}


@operator("constant")
def constant(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """A whole number one off; another real number twice as large or ten times as small."""
    if isinstance(node, cst.Integer) and not isinstance(where.parent, cst.FormattedStringExpression):
        value = int(node.evaluated_value)
        yield cst.Integer(str(value + 1)), f"{value + 1} for {value}"
        if value > 0:
            yield cst.Integer(str(value - 1)), f"{value - 1} for {value}"
    if isinstance(node, cst.Float):
        value_ = float(node.evaluated_value)
        for other in (value_ * 2, value_ / 10) if value_ else (1.0,):
            yield cst.Float(repr(other)), f"{other!r} for {value_!r}"


@operator("comparison")
def comparison(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """Flipped, or off by its border."""
    if isinstance(node, cst.ComparisonTarget):
        for new in _FLIPS.get(type(node.operator), ()):
            yield node.with_changes(operator=new(**_SPACES)), f"{new.__name__} for {type(node.operator).__name__}"


@operator("arithmetic")
def arithmetic(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """Another operator; the floor of a division rounded up."""
    if isinstance(node, cst.BinaryOperation):
        if isinstance(node.operator, cst.FloorDivide):
            yield expression(f"-(-({code(node.left)}) // ({code(node.right)}))"), "rounded up"
            yield expression(f"round(({code(node.left)}) / ({code(node.right)}))"), "rounded"
        new = _ARITHMETIC.get(type(node.operator))
        if new is not None and not isinstance(node.left, cst.BaseString):
            yield node.with_changes(operator=new(**_SPACES)), f"{new.__name__} for {type(node.operator).__name__}"
    if isinstance(node, cst.AugAssign):
        other = _IN_PLACE.get(type(node.operator))
        if other is not None:
            yield node.with_changes(operator=other(**_SPACES)), f"{other.__name__}"
            yield cst.Assign([cst.AssignTarget(node.target)], node.value), "assigned, not added up"
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and whole(node) is None:
        yield node.expression, "no minus"


@operator("swapped_arguments")
def swapped_arguments(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """The first two arguments of a call, or two values of a return, change places."""
    if isinstance(node, cst.Call) and called(node) not in _QUIET and len(positional(node)) >= 2:
        first, second = node.args[0], node.args[1]
        if first.keyword is None and second.keyword is None and not first.star and not second.star:
            args = [first.with_changes(value=second.value), second.with_changes(value=first.value), *node.args[2:]]
            yield node.with_changes(args=args), "swapped arguments"
    if isinstance(node, cst.Return) and isinstance(node.value, cst.Tuple) and len(node.value.elements) == 2:
        one, two = node.value.elements
        if isinstance(one, cst.Element) and isinstance(two, cst.Element):
            swapped = [one.with_changes(value=two.value), two.with_changes(value=one.value)]
            yield node.with_changes(value=node.value.with_changes(elements=swapped)), "swapped results"


@operator("condition")
def condition(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """`if` the other way round; `and` for `or`; a boolean flipped."""
    if isinstance(node, cst.If | cst.IfExp | cst.While):
        yield node.with_changes(test=expression(f"(not ({code(node.test)}))")), "condition the other way round"
    if isinstance(node, cst.BooleanOperation):
        new = cst.Or if isinstance(node.operator, cst.And) else cst.And
        yield node.with_changes(operator=new(**_SPACES)), f"{new.__name__}"
    if isinstance(node, cst.Name) and node.value in ("True", "False"):
        other = "False" if node.value == "True" else "True"
        yield cst.Name(other), f"{other} for {node.value}"


@operator("removed_call")
def removed_call(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """A statement that is only a call is gone; a function of one value hands the value on."""
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        name = called(node.value)
        init = "super()" in code(node.value)
        if name not in _QUIET and not init:
            yield cst.Pass(), f"{name or 'a call'} is not called"
    if isinstance(node, cst.Call) and called(node) in _KEEPS:
        args, held = positional(node), receiver(node)
        if args:
            yield args[0].value, f"no {called(node)}"
        elif held is not None:
            yield held, f"no {called(node)}"


@operator("range")
def shorter_range(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """A loop one turn short, at its start or end."""
    if isinstance(node, cst.Call) and called(node) == "range" and len(node.args) == 1 and not node.args[0].star:
        count = code(node.args[0].value)
        yield expression(f"range(1, {count})"), "the first turn is left out"
        yield expression(f"range(({count}) - 1)"), "the last turn is left out"


@operator("rounding")
def rounding(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """`round` for `int`, `int` for `round`."""
    other = {"int": "round", "round": "int"}.get(called(node))
    if isinstance(node, cst.Call) and other and isinstance(node.func, cst.Name) and len(node.args) == 1:
        yield node.with_changes(func=cst.Name(other)), f"{other} for {called(node)}"
