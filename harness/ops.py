"""Seeing the operations of a forward pass: torch's functions as they are called, and the module each belongs to.

A TorchFunctionMode sees F.relu, torch.relu, x.relu() and what nn.ReLU calls alike. While one function runs the mode is
off, so what a function calls inside (the softmax of multi_head_attention_forward) is not seen a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode


def _words(op: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), op)


_SAME = """conv1d conv2d conv_transpose2d linear bmm relu leaky_relu gelu elu silu sigmoid tanh softmax log_softmax
    dropout batch_norm layer_norm group_norm embedding lstm gru add cat mean matmul"""
_PLAIN: dict[str, str] = {
    **{name: name for name in _SAME.split()},
    **_words("linear", "addmm"),
    **_words("matmul", "mm mv __matmul__ __rmatmul__ einsum"),
    **_words("bmm", "baddbmm"),
    **_words("relu", "relu_"),
    **_words("leaky_relu", "leaky_relu_"),
    **_words("elu", "elu_"),
    **_words("sigmoid", "sigmoid_ expit special_expit"),
    **_words("tanh", "tanh_"),
    **_words("dropout", "dropout_ dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout"),
    **_words("max_pool", "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices"),
    **_words("avg_pool", "avg_pool1d avg_pool2d avg_pool3d"),
    **_words("adaptive_avg_pool", "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d"),
    **_words("embedding", "embedding_bag"),
    **_words("lstm", "lstm_cell"),
    **_words("gru", "gru_cell"),
    **_words("rnn", "rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell"),
    **_words("attention", "multi_head_attention_forward scaled_dot_product_attention _native_multi_head_attention"),
    **_words("add", "add_ __add__ __radd__ __iadd__"),
    **_words("cat", "concat concatenate"),
}
_SHAPING = frozenset(["view", "reshape", "squeeze", "view_as", "reshape_as"])
_SEVERAL = frozenset({"add", "cat", "matmul", "bmm", "attention"})  # all their inputs matter, not only the first

Seen = Callable[[str, Any, tuple[Any, ...], dict[str, Any], Any], None]


def recognise(function: Any, args: tuple[Any, ...], keywords: dict[str, Any], result: Any) -> str | None:
    """Which operation of the vocabulary in docs/wire.md a call is, None for any other."""
    name = getattr(function, "__name__", "")
    first = args[0] if args else keywords.get("input")
    if name in ("clamp", "clamp_", "clamp_min", "clamp_min_"):
        return "relu" if _is_relu(name, args, keywords) else None
    if name == "flatten" or name in _SHAPING:
        if not (isinstance(first, torch.Tensor) and isinstance(result, torch.Tensor) and result.ndim == 2):
            return None
        least = {"flatten": 2, "squeeze": 4}.get(name, 3)
        return "flatten" if first.ndim >= least else None
    op = _PLAIN.get(name)
    if op == "add" and not all(isinstance(value, torch.Tensor) for value in args[:2]):
        return None
    return op


def _is_relu(name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    low, high = argument(args, keywords, 1, "min"), argument(args, keywords, 2, "max")
    return bool(low is not None and not isinstance(low, torch.Tensor) and low == 0 and (high is None or "min" in name))


def argument(args: tuple[Any, ...], keywords: dict[str, Any], place: int, name: str) -> Any:
    """An argument given by position or by name, None if it is absent."""
    return args[place] if len(args) > place else keywords.get(name)


def extras(op: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    """What is worth knowing of an operation beside its shapes."""
    if op == "dropout":
        p = argument(args, keywords, 1, "p")
        return {"p": float(p) if isinstance(p, int | float) else 0.5}
    if op == "batch_norm":
        track, scale = argument(args, keywords, 1, "running_mean"), argument(args, keywords, 3, "weight")
        return {"track": track is not None, "affine": scale is not None}
    if op in ("max_pool", "avg_pool"):
        kernel = argument(args, keywords, 1, "kernel_size")
        stride = argument(args, keywords, 2, "stride") or kernel
        return {key: side for key, value in (("kernel", kernel), ("stride", stride)) if (side := _side(value))}
    if op in ("softmax", "log_softmax"):
        dim = argument(args, keywords, 1, "dim")
        return {"dim": int(dim)} if isinstance(dim, int) else {}
    return {}


def _side(value: Any) -> int | None:
    """A size that is the same along every axis, None for any other."""
    sides = set(value) if isinstance(value, list | tuple) else {value}
    side = sides.pop() if len(sides) == 1 else None
    return side if isinstance(side, int) else None


def shapes(op: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[list[int]]:
    """Shapes of the inputs that matter."""
    found = list(tensors([*args, *keywords.values()]))
    return [list(map(int, t.shape)) for t in (found[:8] if op in _SEVERAL else found[:1])]


def tensors(value: Any, depth: int = 0) -> Iterator[Any]:
    """The tensors in nested tuples and lists, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple) and depth < 3:
        for item in value:
            yield from tensors(item, depth + 1)


class Places:
    """Knows which module's forward is running. Names are those of model.named_modules()."""

    def __init__(self, model: Any) -> None:
        self._names = {id(module): name for name, module in model.named_modules()}
        self._stack: list[str] = []

    @property
    def current(self) -> str:
        """The innermost named module, empty for the model itself."""
        return self._stack[-1] if self._stack else ""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Follow all modules of the process."""
        enter = hooks.register_module_forward_pre_hook(self._enter)
        leave = hooks.register_module_forward_hook(self._leave, always_call=True)
        try:
            yield
        finally:
            enter.remove()
            leave.remove()
            self._stack.clear()

    def _enter(self, module: Any, _args: Any) -> None:
        self._stack.append(self._names.get(id(module), self.current))

    def _leave(self, _module: Any, _args: Any, _result: Any) -> None:
        if self._stack:
            self._stack.pop()


class Watch(TorchFunctionMode):  # type: ignore[misc]
    """Calls `seen(op, given, args, keywords, result)` for every recognised operation.

    given: a copy of a dropout's input, which may be changed in place; None for other operations. What `seen` raises
    is dropped: looking must not change what is looked at.
    """

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        given = None
        if "dropout" in getattr(func, "__name__", ""):
            first = args[0] if args else keywords.get("input")
            given = first.detach().clone() if isinstance(first, torch.Tensor) else None
        result = func(*args, **keywords)
        with suppress(Exception):
            op = recognise(func, args, keywords, result)
            if op is not None:
                self._seen(op, given, args, keywords, result)
        return result


@contextmanager
def watched(places: Places, seen: Seen) -> Iterator[None]:
    """See every operation inside; attention layers take the way through functions that can be seen."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with places.watched(), Watch(seen):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
