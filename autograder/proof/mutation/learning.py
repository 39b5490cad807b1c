"""Mistakes of deep learning: training loops, layers, axes, masks, modes, initialisation."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from autograder.proof.mutation.base import (
    Change,
    Where,
    called,
    code,
    dotted,
    expression,
    operator,
    positional,
    receiver,
    whole,
    with_argument,
)

_FORGOTTEN = {
    "zero_grad": "no_zero_grad", "step": "no_step", "backward": "no_backward", "eval": "eval_never_called",
    "train": "train_never_called", "clip_grad_norm_": "no_clipping",
}  # fmt: skip
_ACTIVATIONS = {
    *("relu", "leaky_relu", "gelu", "elu", "silu", "sigmoid", "tanh", "softmax", "log_softmax"),
    *("act", "activation"),
}
_ACTIVATION_LAYERS = {"ReLU", "LeakyReLU", "GELU", "ELU", "SiLU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax"}
_NORMS = {*("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "InstanceNorm2d")}
_LAYERS = {*("Linear", "Conv1d", "Conv2d", "Embedding", "LSTM", "GRU", "RNN", "BatchNorm1d", "BatchNorm2d")}
_AXIS_CALLS = {
    *("softmax", "log_softmax", "argmax", "argmin", "sum", "mean", "max", "min", "cat", "stack", "squeeze"),
    *(
        "unsqueeze",
        "norm",
        "std",
        "var",
        "cumsum",
        "topk",
        "sort",
        "argsort",
        "logsumexp",
        "flatten",
        "prod",
        "any",
        "all",
    ),
}
_MASKS = {
    *("attention_mask", "mask", "attn_mask", "key_padding_mask", "src_key_padding_mask", "token_type_ids"),
    *("padding_idx", "ignore_index", "is_causal", "enforce_sorted"),
}
_OPTIMIZERS = {
    *("SGD", "ASGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop", "LBFGS"),
}
_SWAPS = {
    "argmax": "argmin", "argmin": "argmax", "max": "min", "min": "max", "mean": "sum", "sum": "mean",
    "relu": "sigmoid", "ReLU": "Sigmoid", "tanh": "sigmoid", "Tanh": "Sigmoid", "sigmoid": "tanh", "Sigmoid": "Tanh",
    "MaxPool2d": "AvgPool2d", "AvgPool2d": "MaxPool2d", "BatchNorm2d": "InstanceNorm2d", "exp": "log", "log": "exp",
    "floor": "ceil", "ceil": "floor", "zeros": "ones", "ones": "zeros", "softmax": "sigmoid",
    "zeros_like": "ones_like", "ones_like": "zeros_like",
    "xavier_uniform_": "zeros_", "xavier_normal_": "ones_", "kaiming_normal_": "zeros_", "kaiming_uniform_": "ones_",
    "first": "last",
}  # fmt: skip


@operator("forgotten_call")
def forgotten_call(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """No zero_grad, no step, no backward, eval or train never called: the statement is gone."""
    if isinstance(node, cst.Expr) and called(node.value) in _FORGOTTEN:
        yield cst.Pass(), _FORGOTTEN[called(node.value)]


@operator("wrong_sign")
def wrong_sign(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """`loss.backward()` climbs."""
    target = receiver(node)
    if called(node) == "backward" and isinstance(node, cst.Call) and isinstance(target, cst.BaseExpression):
        yield expression(f"(-{code(target)}).backward()"), "gradient ascent"


@operator("softmax_twice")
def softmax_twice(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """forward returns probabilities."""
    if isinstance(node, cst.Return) and node.value is not None and where.function == "forward" and where.names.learns:
        if isinstance(node.value, cst.Tuple | cst.Dict):
            return
        torch = where.names.torch
        new = expression(
            f"{torch}.softmax({code(node.value)}, dim=-1)" if torch else f"({code(node.value)}).softmax(-1)"
        )
        yield node.with_changes(value=new, whitespace_after_return=cst.SimpleWhitespace(" ")), "softmax on the output"


@operator("wrong_axis")
def wrong_axis(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """Another `dim` or `axis`."""
    if not isinstance(node, cst.Call):
        return
    named = [a for a in node.args if a.keyword is not None and a.keyword.value in ("dim", "axis", "dims")]
    plain = [a for a in positional(node) if called(node) in _AXIS_CALLS and whole(a.value) is not None][:1]
    for arg in named or plain:
        value = whole(arg.value)
        if value is not None:
            yield with_argument(node, arg, expression("0" if value else "1")), "another axis"


@operator("missing_activation")
def missing_activation(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """The activation is left out, in forward or as a layer."""
    name = called(node)
    if not isinstance(node, cst.Call):
        return
    if name in _ACTIVATION_LAYERS and isinstance(node.func, cst.Attribute):
        yield expression(f"{code(node.func.value)}.Identity()"), f"no {name}"
    elif name in _ACTIVATIONS:
        held = receiver(node)
        last = dotted(held).split(".")[-1]
        module = held is None or last in ("F", "functional", "torch", "nn", "self", where.names.torch or "torch")
        if module and positional(node):
            yield positional(node)[0].value, f"no {name}"
        elif not module and held is not None:
            yield held, f"no {name}"


@operator("missing_layer")
def missing_layer(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """A norm is no norm; a module of the class is not applied in forward."""
    if not isinstance(node, cst.Call):
        return
    if called(node) in _NORMS and isinstance(node.func, cst.Attribute):
        yield expression(f"{code(node.func.value)}.Identity()"), f"no {called(node)}"
    of_self = isinstance(node.func, cst.Attribute) and dotted(node.func).startswith("self.")
    if of_self and where.function == "forward" and len(node.args) == 1 and called(node) not in _ACTIVATIONS:
        yield node.args[0].value, f"{called(node)} is not applied"


@operator("dropout_in_eval")
def dropout_in_eval(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """Dropout that never stops. One that is left out comes from missing_layer, which skips any module of the class."""
    if not isinstance(node, cst.Call) or not where.names.functional:
        return
    args = positional(node)
    plain = called(node) == "dropout" and dotted(node.func) != "self.dropout"
    layer = called(node).startswith("drop") and dotted(node.func).startswith("self.")
    if args and (plain or layer):
        always = f"{where.names.functional}.dropout({code(args[0].value)}, 0.5, True)"
        yield expression(always), "dropout in eval mode"


@operator("missing_mask")
def missing_mask(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """A mask that is not used."""
    if isinstance(node, cst.Call):
        if called(node) in ("masked_fill", "masked_fill_"):
            held = receiver(node)
            if held is not None:
                yield held, "no mask"
        for arg in node.args:
            if arg.keyword is not None and arg.keyword.value in _MASKS:
                rest = [a for a in node.args if a is not arg]
                if rest:
                    rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
                yield node.with_changes(args=rest), f"no {arg.keyword.value}"
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        for masked, other in ((node.left, node.right), (node.right, node.left)):
            if "mask" in dotted(masked).lower() or "mask" in dotted(receiver(masked)).lower():
                yield other, "no mask"


@operator("labels_shifted")
def labels_shifted(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """The loss sees the neighbour's label."""
    if isinstance(node, cst.Call) and where.names.learns and _is_loss(node, where):
        target, torch = positional(node)[1], where.names.torch
        text = code(target.value)
        new = expression(f"{torch}.roll({text}, 1, 0)" if torch else f"({text}).roll(1, 0)")
        yield with_argument(node, target, new), "labels shifted"


@operator("wrong_tensor")
def wrong_tensor(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """The loss that is learnt from takes probabilities for outputs, or the guesses for labels."""
    if not isinstance(node, cst.Call) or not where.names.learns or not _is_loss(node, where):
        return
    around = next((n for n in reversed(where.parents) if isinstance(n, cst.FunctionDef)), where.parents[0])
    learns = m.findall(around, m.Call(func=m.Attribute(attr=m.Name("backward"))))
    told = isinstance(where.parent, cst.Attribute) and where.parent.attr.value == "item"
    # A function of the file that is called a loss may take a model and a loader.
    if learns and not told and dotted(node.func) not in where.names.own:
        outputs, labels = positional(node)[:2]
        text = code(outputs.value)
        yield with_argument(node, outputs, expression(f"({text}).softmax(-1)")), "loss of probabilities"
        if called(node) != "mse_loss":
            yield with_argument(node, labels, expression(f"({text}).argmax(-1)")), "loss against the guesses"


def _is_loss(call: cst.Call, where: Where) -> bool:
    """True for a loss of outputs and labels: by its name, as `nn.CrossEntropyLoss()(…)`, or held in a variable."""
    name = (called(call) or called(call.func)).lower()
    named = name in ("cross_entropy", "nll_loss") or "criterion" in name or name.endswith(("loss", "loss_fn"))
    return len(positional(call)) >= 2 and (named or dotted(call.func) in where.names.losses)


@operator("detached")
def detached(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """No gradient passes a layer."""
    of_self = isinstance(node, cst.Call) and dotted(node.func).startswith("self.") and where.function == "forward"
    if (
        of_self
        and where.names.learns
        and called(node) not in _ACTIVATIONS
        and isinstance(where.parent, cst.Arg | cst.Assign)
    ):
        yield expression(f"{code(node)}.detach()"), "detached graph"


@operator("frozen")
def frozen(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """A layer that does not learn, or an optimizer that was given a part of the parameters."""
    if not isinstance(node, cst.Call):
        return
    if called(node) in _LAYERS and where.function == "__init__" and where.names.learns:
        yield expression(f"{code(node)}.requires_grad_(False)"), "frozen layer"
    if called(node) == "parameters" and not node.args and isinstance(where.parent, cst.Arg):
        yield expression(f"list({code(node)})[-2:]"), "the optimizer has the last layer only"


@operator("learning_rate")
def learning_rate(node: cst.CSTNode, where: Where) -> Iterator[Change]:
    """A hundred times too large or too small."""
    if not isinstance(node, cst.Arg):
        return
    named = node.keyword is not None and node.keyword.value in ("lr", "learning_rate")
    call = where.parent
    second = isinstance(call, cst.Call) and called(call) in _OPTIMIZERS and node in positional(call)[1:2]
    if named or second:
        for change in ("* 100", "/ 100"):
            yield node.with_changes(value=expression(f"({code(node.value)}) {change}")), f"learning rate {change}"


@operator("kept_state")
def kept_state(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """A recurrent layer goes on from the state of the call before."""
    name = called(node).lower()
    if not isinstance(node, cst.Call) or not dotted(node.func).startswith("self.") or len(node.args) != 1:
        return
    if any(part in name for part in ("lstm", "gru", "rnn")):
        call = f"{code(node.func)}({code(node.args[0].value)}, self.__dict__.get('_kept'))"
        kept = f"(lambda r: (self.__dict__.__setitem__('_kept', r[1]), r)[1])({call})"
        yield expression(kept), "hidden state kept"


@operator("wrong_permute")
def wrong_permute(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """Axes in another order, or the call left out."""
    if not isinstance(node, cst.Call):
        return
    name, held, args = called(node), receiver(node), positional(node)
    if name in ("permute", "view", "reshape") and len(args) >= 2 and len(args) == len(node.args):
        values = [a.value for a in args]
        values[-1], values[-2] = values[-2], values[-1]
        swapped = [a.with_changes(value=v) for a, v in zip(args, values, strict=True)]
        yield node.with_changes(args=swapped), f"{name} with swapped axes"
    if (
        name in ("permute", "transpose", "t", "flip", "roll")
        and held is not None
        and dotted(held) not in ("np", "torch")
    ):
        yield held, f"no {name}"


@operator("biased_start")
def biased_start(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """An initialisation with a constant, or left out."""
    name = called(node)
    if isinstance(node, cst.Call) and name.endswith("_") and "init" in dotted(node.func) and positional(node):
        first = code(positional(node)[0].value)
        yield expression(f"{first}.data.fill_(0.5)"), "biased start"
        yield expression("None"), "no initialisation"


@operator("swapped_name")
def swapped_name(node: cst.CSTNode, _where: Where) -> Iterator[Change]:
    """Another function of the same kind: argmin for argmax, sum for mean, ceil for floor."""
    name = called(node)
    if isinstance(node, cst.Call) and name in _SWAPS:
        if isinstance(node.func, cst.Attribute):
            yield node.with_deep_changes(node.func.attr, value=_SWAPS[name]), f"{_SWAPS[name]} for {name}"
        else:
            yield node.with_changes(func=cst.Name(_SWAPS[name])), f"{_SWAPS[name]} for {name}"
