"""Probes that look into a model: trace, behave, moves. What they answer is the process's own word, so it is sifted.

Only rows of the right form are kept, and of them only the known fields; a tainted process's names become numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.probing.models import forget_words
from autograder.probing.process import StudentProcess
from autograder.probing.untrusted import mapping, number, rows, shape, text
from autograder.specs import schema

_OPS = """conv1d conv2d conv_transpose2d linear matmul bmm relu leaky_relu gelu elu silu sigmoid tanh softmax
    log_softmax dropout batch_norm layer_norm group_norm max_pool avg_pool adaptive_avg_pool flatten embedding
    lstm gru rnn attention add cat mean"""
_LAYERS = """Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d BatchNorm1d BatchNorm2d LayerNorm
    GroupNorm Embedding EmbeddingBag LSTM GRU RNN LSTMCell GRUCell RNNCell MultiheadAttention PReLU
    NonDynamicallyQuantizableLinear"""
_LOOP = ("steps", "most", "dropout_off", "in_order", "passes")
OPS = frozenset(_OPS.split())  # docs/wire.md
LAYERS = frozenset(_LAYERS.split())  # names of torch's layers, which a tainted process may say
_WHOLE = {  # settings that are whole numbers, and whose they are
    "dim": ("softmax", "log_softmax"),
    "kernel": ("max_pool", "avg_pool"),
    "stride": ("max_pool", "avg_pool"),
}
_MOST_OPS = 4000
_MOST_ROWS = 2000

Reader = Callable[[Any], Any]


def trace(student: StudentProcess, observation: schema.Trace, seed: int, values: dict[str, Any]) -> None:
    """The operations of one forward pass, and the model's parameters and modules."""
    answer = _ask(student, observation, seed, "trace", {"inputs", "train", "pad"})
    names = Names(student.tainted, [text(row.get("name"), 200) for row in rows(answer.get("modules"), _MOST_ROWS)])
    values["ops"] = [read for row in rows(answer.get("ops"), _MOST_OPS) if (read := _op(row, names)) is not None]
    values.update({key: answer.get(key) for key in ("parameters", "modules")})
    forget_words(student, values)


def behave(student: StudentProcess, observation: schema.Behave, seed: int, values: dict[str, Any]) -> None:
    """Outputs in eval and in train mode, buffers, dropouts and weights."""
    answer = _ask(student, observation, seed, "behave", {"inputs", "repeat", "pad"})
    values["eval"] = arrays(answer.get("eval"), 2)
    values["train"] = arrays(answer.get("train"), observation.repeat)
    buffer: dict[str, Reader] = {"name": Names(student.tainted), "before": _array, "after": _array}
    values["buffers"] = read_rows(answer.get("buffers"), buffer)
    rates = dict.fromkeys(("p", "count", "zeros", "scale", "eval_zeros"), number)
    values["dropout"] = read_rows(answer.get("dropout"), {"module": Names(student.tainted), **rates})
    numbers = dict.fromkeys(("mean", "std", "max", "fan_in", "fan_out"), number)
    layer = _hidden_layer if student.tainted else _layer
    weight: dict[str, Reader] = {"name": Names(student.tainted), "layer": layer, "shape": shape, **numbers}
    values["weights"] = read_rows(answer.get("weights"), weight)


def moves(student: StudentProcess, observation: schema.Moves, seed: int, values: dict[str, Any]) -> None:
    """How far training moved each parameter, and the outputs before and after it."""
    student.need(observation.function)
    student.put(observation.targets)
    wanted = {"inputs", "targets", "steps", "epochs", "lr", "pad", "tail"}
    answer = _ask(student, observation, seed, "moves", wanted, {"entry": observation.function})
    numbers = dict.fromkeys(("count", "change", "norm", "tail_change", "tail_norm"), number)
    moved: dict[str, Reader] = {"name": Names(student.tainted), "shape": shape, "requires_grad": _flag, **numbers}
    values["parameters"] = read_rows(answer.get("parameters"), moved)
    values["outputs"] = arrays(answer.get("outputs"), 2)
    said = mapping(answer.get("loop"))
    loop = {key: said[key] for key in _LOOP if type(said.get(key)) is int}
    values["loop"] = loop if observation.function else None
    count = len(student.data.arrays[observation.inputs])
    size = max(1, math.ceil(count / observation.steps))  # as in harness/probes/moves.py
    values["asked"] = {"epochs": observation.epochs, "batches": math.ceil(count / size)}


def _ask(
    student: StudentProcess,
    observation: schema.Trace | schema.Behave | schema.Moves,
    seed: int,
    op: str,
    fields: set[str],
    more: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    student.need(observation.entry)
    student.put(observation.inputs)
    request: dict[str, Any] = {"handle": student.construct(observation.entry, seed), "seed": seed, **(more or {})}
    return student.ask(op, request | observation.model_dump(include=fields))


class Names:
    """Reads names: as they are, or for a tainted process as numbers, the same one for the same name."""

    def __init__(self, tainted: bool, known: list[str] | None = None) -> None:
        self._tainted = tainted
        self._numbers: dict[str, int] = {}
        for place, name in enumerate(known or [], start=1):
            self._numbers.setdefault(name, place)

    def __call__(self, value: Any) -> str:
        """The name to pass on."""
        name = text(value, 200)
        if not self._tainted:
            return name
        return f"number {self._numbers.setdefault(name, len(self._numbers) + 1)}"


def arrays(listed: Any, most: int) -> list[Any]:
    """The arrays in a list, `most` of them at most."""
    return [a for a in listed[:most] if isinstance(a, np.ndarray)] if isinstance(listed, list) else []


def read_rows(listed: Any, fields: Mapping[str, Reader], most: int = _MOST_ROWS) -> list[dict[str, Any]]:
    """The rows of an answer with these fields alone, each read by its reader (None for what is not as it should be)."""
    return [{key: read(row.get(key)) for key, read in fields.items()} for row in rows(listed, most)]


def _array(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _layer(value: Any) -> str:
    return text(value, 100)


def _hidden_layer(value: Any) -> str:
    return value if isinstance(value, str) and value in LAYERS else "other"


def _op(row: Mapping[str, Any], names: Names) -> dict[str, Any] | None:
    """One operation, or None for one that is not of the vocabulary."""
    op = row.get("op")
    if not isinstance(op, str) or op not in OPS:
        return None
    read: dict[str, Any] = {"op": op, "module": names(row.get("module"))}
    for key in ("in", "out"):
        listed = row.get(key)
        read[key] = [s for item in listed[:8] if (s := shape(item)) is not None] if isinstance(listed, list) else []
    if op == "dropout":
        read["p"] = number(row.get("p"))
    if op == "batch_norm":
        read |= {key: row.get(key) is True for key in ("track", "affine")}
    for key, ops in _WHOLE.items():
        if op in ops and type(row.get(key)) is int:
            read[key] = row[key]
    return read
