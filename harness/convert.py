"""Between student objects and the wire: tensors, lists and dicts to plain trees, and model outputs to tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from harness.errors import HarnessError, Kind
from harness.wire import DTYPES, Array

MAX_NODES = 20_000
MAX_DEPTH = 24
LONG_LIST = 1000

OUTPUT_NAMES = ("logits", "output", "outputs", "last_hidden_state")


def unsupported(message: str) -> HarnessError:
    """An answer that can't travel."""
    return HarnessError(Kind.UNSUPPORTED, message)


def device() -> Any:
    """Where models and inputs live: the first GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def home(model: Any) -> Any:
    """Where a model lives now; student code may have moved it."""
    return next((p.device for p in model.parameters()), device())


def to_tensor(array: Array, place: Any = None) -> Any:
    """An array as a tensor on the device, or at `place`; its dtype is kept."""
    return torch.from_numpy(np.ascontiguousarray(array)).reshape(array.shape).to(place or device())


def to_array(value: Any) -> Array:
    """A tensor or array as a numpy array of a dtype that travels. bfloat16 becomes float32; complex is refused."""
    if isinstance(value, torch.Tensor):
        value = _tensor_to_array(value)
    array = np.asarray(value)
    if array.dtype.name in DTYPES:
        return array
    if array.dtype.kind == "u" and (array.size == 0 or int(array.max()) < 1 << 63):
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    raise unsupported(f"an array of dtype {array.dtype} can't be taken; return real numbers")


def _tensor_to_array(tensor: Any) -> Array:
    tensor = tensor.detach()
    if tensor.is_complex():
        raise unsupported("a complex tensor can't be taken; return real numbers")
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.dtype == torch.bfloat16 or (tensor.is_floating_point() and tensor.element_size() == 1):
        tensor = tensor.float()
    array: Array = tensor.cpu().resolve_conj().resolve_neg().numpy()
    return array


class _Tree:
    """Counts what it converts, so that no answer is endless."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def convert(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise unsupported("the answer is too large or nested too deeply; return arrays instead of lists")
        if isinstance(value, str):
            self.left -= len(value) // 20
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, torch.Tensor | np.ndarray | np.generic):
            return _array_or_number(value)
        if isinstance(value, Mapping):
            return {str(key): self.convert(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset | range):
            return self._sequence(value, depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return {name: self.convert(getattr(value, name), depth + 1) for name in names}
        if type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "to_dict"):
            frame = value.to_dict("list") if type(value).__name__ == "DataFrame" else value.to_dict()
            return self.convert(frame, depth + 1)
        raise unsupported(f"an answer of type {type(value).__name__} can't be taken; return tensors, arrays or numbers")

    def _sequence(self, value: Any, depth: int) -> Any:
        if isinstance(value, set | frozenset):
            value = sorted(value, key=repr)
        if len(value) > LONG_LIST and all(isinstance(item, int | float) for item in value):
            return to_array(_array_of(list(value)))
        return [self.convert(item, depth + 1) for item in value]


def tree(value: Any) -> Any:
    """A student's answer as a tree of dicts, lists, text, numbers and arrays. Raises HarnessError(unsupported).

    A flat list of more than 1,000 numbers becomes an array; a pandas frame becomes {column: list}.
    """
    return _Tree().convert(value)


def _number(value: float) -> float:
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise unsupported("a whole number beyond 64 bits can't be taken")
        return int(value)
    return float(value)


def _array_or_number(value: Any) -> Any:
    array = to_array(value) if not (isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "US") else value
    if isinstance(array, np.ndarray) and array.dtype.kind in "US":
        return array.tolist()
    if isinstance(value, np.generic):
        return array.item()
    return array


def _array_of(value: Any) -> Array:
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise unsupported("a list of unequal rows can't be made an array") from error
    if array.dtype.kind not in "biuf":
        raise unsupported(f"a list of {type(value[0]).__name__ if len(value) else 'nothing'} can't be made an array")
    return array


def model_output(output: Any) -> Any:
    """The tensor among what a model returned, its graph kept: itself, `.logits`, or the first tensor inside."""
    found = _first_tensor(output, 0)
    if found is None:
        hint = " (is the `return` missing in forward?)" if output is None else ""
        raise unsupported(f"the model returned {type(output).__name__}{hint}; return a tensor")
    return found


def _first_tensor(output: Any, depth: int) -> Any:
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, np.ndarray | np.generic | int | float) and not isinstance(output, bool):
        return torch.as_tensor(to_array(output))
    if depth > 4:
        return None
    if isinstance(output, torch.nn.utils.rnn.PackedSequence):
        return output.data
    for name in OUTPUT_NAMES:
        inner = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(inner, torch.Tensor):
            return inner
    items: Any = output.values() if isinstance(output, Mapping) else output
    if isinstance(items, list) and items and all(isinstance(i, int | float | list) for i in items):
        return torch.as_tensor(_array_of(items))
    if not isinstance(output, Mapping | list | tuple):
        return None
    return next((t for item in items if (t := _first_tensor(item, depth + 1)) is not None), None)


def predictions(value: Any) -> Array:
    """What a predict function returned as one array; a list of batches is joined along its first axis."""
    if isinstance(value, list) and value and all(isinstance(v, torch.Tensor | np.ndarray) for v in value):
        arrays = [to_array(item) for item in value]
        same = len({a.shape[1:] for a in arrays}) == 1 and arrays[0].ndim > 0
        return np.concatenate(arrays) if same else to_array(_array_of(arrays))
    if isinstance(value, list):
        return to_array(_array_of([v.item() if isinstance(v, torch.Tensor | np.generic) else v for v in value]))
    return to_array(model_output(value))
