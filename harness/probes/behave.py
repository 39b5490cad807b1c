"""Operation behave: train mode against eval mode, what dropout does to its input, how weights start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.init import _calculate_fan_in_and_fan_out
from torch.nn.parameter import UninitializedTensorMixin

from harness.convert import to_array
from harness.isolation import mode, seed_all
from harness.learning import infer, materialise
from harness.ops import Places, extras, tensors, watched
from harness.session import Request, Session, operation

MAX_ROWS = 2000
MAX_BUFFERS = 400
MAX_BUFFER_SIZE = 1 << 16
EVAL_PASSES = 2


@operation("behave")
def run_behave(session: Session, request: Request) -> Mapping[str, Any]:
    """Two passes in eval mode, then `repeat` passes in train mode, all on the same inputs."""
    model = session.model(request.text("handle"))
    array = session.array(request.text("inputs"))
    repeat = request.whole("repeat", 8, least=1)
    materialise(model, array, request.pad)
    weights, drops = _weights(model), Drops(model)
    seed_all(request.seed)
    outputs: dict[str, list[Any]] = {}
    before: dict[str, Any] = {}
    for name, train, passes in (("eval", False, EVAL_PASSES), ("train", True, repeat)):
        before = _buffers(model)
        with mode(model, train), drops.watched(train):
            outputs[name] = [infer(model, array, None, request.pad)[0] for _ in drops.passes(passes)]
    after = _buffers(model)
    buffers = [{"name": n, "before": before[n], "after": after[n]} for n in before if n in after]
    return {**outputs, "buffers": buffers, "dropout": drops.rows(), "weights": weights}


def _weights(model: Any) -> list[dict[str, Any]]:
    """How every parameter starts."""
    rows: list[dict[str, Any]] = []
    for place, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(parameter, UninitializedTensorMixin) or not parameter.numel() or len(rows) == MAX_ROWS:
                continue
            values = parameter.detach().double()
            fans = _calculate_fan_in_and_fan_out(parameter) if parameter.ndim > 1 else (None, None)
            rows.append(
                {
                    "name": f"{place}.{name}" if place else name,
                    "layer": type(module).__name__,
                    "shape": list(parameter.shape),
                    "mean": float(values.mean()),
                    "std": float(values.std(unbiased=False)),
                    "max": float(values.abs().max()),
                    "fan_in": fans[0],
                    "fan_out": fans[1],
                }
            )
    return rows


def _buffers(model: Any) -> dict[str, Any]:
    """Copies of the model's small buffers."""
    found = {
        name: to_array(buffer).copy()
        for name, buffer in model.named_buffers()
        if not isinstance(buffer, UninitializedTensorMixin) and buffer.numel() <= MAX_BUFFER_SIZE
    }
    return dict(list(found.items())[:MAX_BUFFERS])


@dataclass(slots=True)
class Drop:
    """What one dropout did to its inputs. Entries are those that were not zero before."""

    module: str
    p: float | None
    entries: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})  # by mode: true is train
    zeroed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    scaled: float = 0.0  # sum of output / input over the kept entries, in train mode

    def take(self, train: bool, given: Any, result: Any) -> None:
        """Add one call."""
        there = given != 0
        kept = there & (result != 0)
        self.entries[train] += int(there.sum())
        self.zeroed[train] += int((there & (result == 0)).sum())
        if train:
            self.scaled += float((result[kept].double() / given[kept].double()).sum())

    def row(self) -> dict[str, Any]:
        """As docs/wire.md has it."""
        count, zeroed = self.entries[True], self.zeroed[True]
        kept, quiet = count - zeroed, self.entries[False]
        return {
            "module": self.module,
            "p": self.p,
            "count": count,
            "zeros": zeroed / count if count else None,
            "scale": self.scaled / kept if kept else None,
            "eval_zeros": self.zeroed[False] / quiet if quiet else 0.0,
        }


class Drops:
    """Measures every dropout of a model: torch's own, and modules of the student's own that are called so."""

    def __init__(self, model: Any) -> None:
        self._places = Places(model)
        self._own = {
            name: module
            for name, module in model.named_modules()
            if "drop" in type(module).__name__.lower() and not type(module).__module__.startswith("torch.")
        }
        self._drops: dict[tuple[str, int], Drop] = {}
        self._number: dict[str, int] = {}  # calls of each module so far in this pass
        self._train = False

    def passes(self, count: int) -> Iterator[int]:
        """One number a forward pass."""
        for number in range(count):
            self._number = {}
            yield number

    @contextmanager
    def watched(self, train: bool) -> Iterator[None]:
        """Measure inside."""
        self._train = train
        with ExitStack() as stack:
            for name, module in self._own.items():
                hook = module.register_forward_hook(lambda m, a, r, name=name: self._own_called(name, m, a, r))
                stack.callback(hook.remove)
            stack.enter_context(watched(self._places, self._seen))
            yield

    def rows(self) -> list[dict[str, Any]]:
        """One row a dropout."""
        return [drop.row() for drop in self._drops.values()]

    def _seen(self, op: str, given: Any, args: tuple[Any, ...], keywords: dict[str, Any], result: Any) -> None:
        if op == "dropout" and given is not None:
            self._take(self._places.current, extras(op, args, keywords)["p"], given, result)

    def _own_called(self, name: str, module: Any, args: Any, result: Any) -> None:
        """A student's own dropout module, unless torch's dropout was seen inside."""
        given = next(tensors(list(args)), None)
        if self._number.get(name) or not isinstance(result, torch.Tensor) or given is None:
            return
        rates = (getattr(module, key, None) for key in ("p", "rate", "drop_prob", "prob", "dropout"))
        rate = next((float(r) for r in rates if isinstance(r, int | float) and not isinstance(r, bool)), None)
        self._take(name, rate, given.detach(), result)

    def _take(self, module: str, p: float | None, given: Any, result: Any) -> None:
        number = self._number[module] = self._number.get(module, 0) + 1
        if given.shape == result.shape and len(self._drops) < MAX_ROWS:
            self._drops.setdefault((module, number), Drop(module, p)).take(self._train, given, result.detach())
