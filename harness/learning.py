"""What the probes on models share: inference, the loss, one training step, gradient norms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from harness.convert import home, model_output, to_array, to_tensor
from harness.errors import HarnessError, Kind
from harness.isolation import kept_randomness, mode
from harness.padding import answer
from harness.wire import Array

# Kept here, since student code may replace what the modules hold.
_cross_entropy, _mse_loss, _Adam = functional.cross_entropy, functional.mse_loss, torch.optim.Adam


def loss_of(output: Any, targets: Any) -> Any:
    """The loss of a model's output as a scalar tensor.

    Cross entropy for whole-number targets, mean squared error for real-valued ones, the sum of squares for none.
    """
    prediction = model_output(output)
    if not isinstance(output, torch.Tensor) and _is_plain(output):
        raise HarnessError(
            Kind.EXCEPTION,
            f"the model returned {type(output).__name__}, through which no gradient flows; return the tensor itself",
            "TypeError",
        )
    if targets is None:
        return prediction.float().square().sum()
    if targets.is_floating_point():
        return _mse_loss(prediction.float(), targets.float())
    return _cross_entropy(prediction.float(), targets.long())


def _is_plain(output: Any) -> bool:
    """True for numbers that are no tensors: an array, a number, a list of them."""
    first = output[0] if isinstance(output, list) and output else output
    return isinstance(first, np.ndarray | np.generic | int | float | list)


def target_tensor(targets: Array | None, place: Any = None) -> Any:
    """Targets as a tensor (see convert.to_tensor); whole numbers as int64, as cross entropy wants them."""
    if targets is None:
        return None
    return to_tensor(targets.astype(np.int64) if targets.dtype.kind in "iub" else targets, place)


def global_norm(gradients: Iterable[Any]) -> float:
    """Euclidean norm over all gradients; None counts as 0."""
    return math.sqrt(sum(float(g.detach().double().square().sum()) for g in gradients if g is not None))


def trainable(model: Any) -> list[Any]:
    """Parameters that an optimiser may move."""
    return [p for p in model.parameters() if p.requires_grad]


def adam(model: Any, lr: float) -> Any | None:
    """Adam over the trainable parameters; None if there are none."""
    parameters = trainable(model)
    return _Adam(parameters, lr=lr) if parameters else None


def step(model: Any, optimiser: Any | None, inputs: Any, targets: Any, pad: int | None = None) -> float:
    """One training step; returns the loss before it. A loss without a graph moves nothing."""
    if optimiser is not None:
        optimiser.zero_grad()
    loss = loss_of(answer(model, inputs, pad), targets)
    if loss.requires_grad:
        loss.backward()
        if optimiser is not None:
            optimiser.step()
    return float(loss.detach())


def materialise(model: Any, inputs: Array, pad: int | None = None) -> None:
    """Give lazy layers their shapes, which a first forward pass does; other models are left alone."""
    tensors = [*model.parameters(), *model.buffers()]
    if any(isinstance(t, torch.nn.parameter.UninitializedTensorMixin) for t in tensors):
        with kept_randomness(), mode(model, False):
            infer(model, inputs[:2], None, pad)


def infer(model: Any, inputs: Array, batch_size: int | None, pad: int | None = None) -> tuple[Array, str]:
    """The outputs for all inputs and the type name of what the model returned; batches are joined along axis 0."""
    size = batch_size or max(len(inputs) if inputs.ndim else 1, 1)
    starts = range(0, len(inputs), size) if inputs.ndim and len(inputs) else [0]
    arrays, name, place = [], "", home(model)
    with torch.no_grad():
        for start in starts:
            rows = inputs[start : start + size] if inputs.ndim else inputs
            output = answer(model, to_tensor(rows, place), pad)
            name = name or type(output).__name__
            arrays.append(to_array(model_output(output)))
    if len(arrays) == 1:
        return arrays[0], name
    return (np.concatenate(arrays) if arrays[0].ndim else np.stack(arrays)), name
