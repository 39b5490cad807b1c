"""Arguments that can't travel as they are: {"$ref": kind, "name": …} becomes the object that a student's code gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import TensorDataset

from harness import local
from harness.build import build_model
from harness.convert import device, to_tensor
from harness.errors import BadRequest
from harness.handover import hand_over
from harness.isolation import seed_all
from harness.learning import target_tensor
from harness.session import Session
from harness.student_loop import student_loop, unheard
from harness.supplies import Task
from harness.watch import Progress
from harness.wire import Array


@dataclass(frozen=True, slots=True)
class Making:
    """What the makers of objects know. as_tensor: arrays become tensors."""

    session: Session
    as_tensor: bool = False
    seed: int = 0


Maker = Callable[[Making, Mapping[str, Any]], Any]

MAKERS: dict[str, Maker] = {}


def maker(kind: str) -> Callable[[Maker], Maker]:
    """Register the function that makes objects of this kind from the fields of a reference."""

    def register(function: Maker) -> Maker:
        if kind in MAKERS:
            raise ValueError(f"the maker of {kind} is registered twice")
        MAKERS[kind] = function
        return function

    return register


def realise(making: Making, tree: Any) -> Any:
    """A tree of arguments with every reference made and, where asked for, arrays as tensors. Raises BadRequest."""
    if isinstance(tree, np.ndarray):
        return to_tensor(tree) if making.as_tensor else tree
    if isinstance(tree, list):
        return [realise(making, item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "$ref" not in tree:
        return {key: realise(making, item) for key, item in tree.items()}
    kind = str(tree["$ref"])
    if kind not in MAKERS:
        raise BadRequest(f"there is no reference of kind {kind!r}")
    return MAKERS[kind](making, tree)


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise BadRequest(f"a reference of kind {fields.get('$ref')!r} needs the name of {key}")
    return value


def _copy(making: Making, name: str) -> Array:
    """A copy of an array, so that code that writes into its arguments spoils nothing."""
    return making.session.array(name).copy()


@maker("array")
def make_array(making: Making, fields: Mapping[str, Any]) -> Any:
    """An array sent with `put`."""
    array = _copy(making, _text(fields, "name"))
    return to_tensor(array) if making.as_tensor else array


@maker("dataset")
def make_dataset(making: Making, fields: Mapping[str, Any]) -> Any:
    """A TensorDataset of two arrays sent with `put`."""
    inputs, targets = (_copy(making, _text(fields, key)) for key in ("inputs", "targets"))
    return TensorDataset(to_tensor(inputs), target_tensor(targets))


@maker("given_model")
def make_given_model(_making: Making, fields: Mapping[str, Any]) -> Any:
    """A linear classifier with these weights (C, F) and biases (C,); with dropout before it, if asked for."""
    weight, bias, dropout = fields.get("weight"), fields.get("bias"), fields.get("dropout", 0.0)
    if not isinstance(weight, np.ndarray) or not isinstance(bias, np.ndarray) or weight.ndim != 2:
        raise BadRequest("a given model needs weight (C, F) and bias (C,)")
    if not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise BadRequest("a given model's dropout is a share")
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight.copy()))
        linear.bias.copy_(torch.from_numpy(bias.copy()))
    layers = [torch.nn.Flatten(), *([torch.nn.Dropout(dropout)] if dropout else []), linear]
    return torch.nn.Sequential(*layers).to(device()).train(fields.get("train") is True)


@maker("model")
def make_model(_making: Making, fields: Mapping[str, Any]) -> Any:
    """A transformers model of a folder of the task's files."""
    return local.local_model(_text(fields, "name")).to(device())


@maker("tokenizer")
def make_tokenizer(_making: Making, fields: Mapping[str, Any]) -> Any:
    """The tokenizer of a folder of the task's files."""
    return local.local_tokenizer(_text(fields, "name"))


@maker("entry")
def make_entry(making: Making, fields: Mapping[str, Any]) -> Any:
    """The student's own object."""
    return making.session.entry(_text(fields, "name")).target


@maker("built")
def make_built(making: Making, fields: Mapping[str, Any]) -> Any:
    """The student's model, built anew; trained by a function of the student's, if asked for; in train mode, if so."""
    given = fields.get("arguments", {})
    if not isinstance(given, dict):
        raise BadRequest("a built model's arguments are a mapping")
    model = hand_over(making.session, fields, making.seed) if "function" in fields else None
    if model is None:
        model, _ = build_model(making.session, _text(fields, "name"), construct_arguments(making, given), making.seed)
        model = _trained(making, model, fields) if "function" in fields else model
    return model.train() if fields.get("train") is True else model


def _trained(making: Making, model: Any, fields: Mapping[str, Any]) -> Any:
    """What the student's training function makes of a model. Nobody hears of its epochs."""
    inputs, targets = (making.session.array(_text(fields, key)) for key in ("inputs", "targets"))
    epochs, size, lr = (fields.get(key) for key in ("epochs", "batch_size", "lr"))
    if type(epochs) is not int or type(size) is not int or not isinstance(lr, int | float) or min(epochs, size) < 1:
        raise BadRequest("a trained model needs epochs, batch_size and lr")
    function = making.session.entry(_text(fields, "function")).target
    task = Task(inputs, targets, inputs, targets, epochs, size, float(lr), making.seed)
    progress = Progress(model, {}, unheard, epochs)
    seed_all(task.seed)
    student_loop(function, model, task, progress, {})
    return progress.model


def construct_arguments(making: Making, given: dict[str, Any]) -> dict[str, Any]:
    """What a model is built with; arrays as tensors, which is what layers take."""
    made: dict[str, Any] = realise(Making(making.session, True, making.seed), given)
    return made
