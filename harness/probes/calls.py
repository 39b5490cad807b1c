"""Operations that run a student's function on given arguments: call, predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from harness.binding import Role, call, plan
from harness.convert import device, predictions, to_tensor, tree
from harness.errors import HarnessError, Kind
from harness.isolation import mode, seed_all
from harness.learning import infer
from harness.session import Request, Session, operation
from harness.wire import Array


@operation("call")
def run_call(session: Session, request: Request) -> Mapping[str, Any]:
    """Call an entry with a tree of arguments. An entry of kind value is returned itself, as long as none are given."""
    entry = session.entry(request.text("entry"))
    arguments, keywords = request.get("arguments", list, []), request.get("keywords", dict, {})
    if request.get("as_tensor", bool, False):
        arguments, keywords = _tensors(arguments), _tensors(keywords)
    seed_all(request.seed)
    if entry.kind == "value" and not arguments and not keywords:
        return {"value": tree(entry.target)}
    if not callable(entry.target):
        raise HarnessError(Kind.EXCEPTION, f"{request.text('entry')} is no function", "TypeError")
    return {"value": tree(entry.target(*arguments, **keywords))}


def _tensors(value: Any) -> Any:
    """The tree with its arrays as tensors."""
    if isinstance(value, np.ndarray):
        return to_tensor(value)
    if isinstance(value, list):
        return [_tensors(item) for item in value]
    return {key: _tensors(item) for key, item in value.items()} if isinstance(value, dict) else value


@operation("predict")
def run_predict(session: Session, request: Request) -> Mapping[str, Any]:
    """Predict with the student's function, or with the model in eval mode."""
    handle, entry = request.text("handle", None), request.text("entry", None)
    model = session.model(handle) if handle else None
    inputs = session.array(request.text("inputs"))
    batch_size = request.whole("batch_size", 64, least=1)
    seed_all(request.seed)
    if entry:
        function = session.entry(entry).target
        given = request.get("arguments", dict, {})
        roles = plan(function, given, predicting=True)
        answer = call(function, {**_supply(function, roles, model, inputs, batch_size), **given})
        return {"outputs": predictions(answer), "output_type": type(answer).__name__}
    if model is None:
        raise HarnessError(Kind.MISSING, "predict needs a model or a function")
    with mode(model, False):
        outputs, name = infer(model, inputs, batch_size)
    return {"outputs": outputs, "output_type": name}


def _supply(function: Any, roles: Mapping[str, Role], model: Any, inputs: Array, batch_size: int) -> dict[str, Any]:
    """Values for a predict function's parameters. A loader yields (inputs, zeros), as loops often expect labels."""
    tensor = to_tensor(inputs)

    def dataset() -> Any:
        return TensorDataset(tensor, torch.zeros(len(tensor), dtype=torch.int64))

    def loader() -> Any:
        return DataLoader(dataset(), batch_size=batch_size)

    makers: dict[Role, Callable[[], Any]] = {
        Role.MODEL: lambda: model,
        Role.DEVICE: device,
        Role.BATCH_SIZE: lambda: batch_size,
    }
    makers |= {Role.TRAIN_INPUTS: lambda: tensor, Role.VALIDATION_INPUTS: lambda: tensor}
    makers |= {Role.TRAIN_SET: dataset, Role.VALIDATION_SET: dataset, Role.OFF: lambda: False}
    makers |= {Role.TRAIN_LOADER: loader, Role.VALIDATION_LOADER: loader}
    makers |= {Role.CRITERION: torch.nn.CrossEntropyLoss}
    values = {}
    for name, role in roles.items():
        if role not in makers or (role is Role.MODEL and model is None):
            message = f"{function.__name__} has a parameter `{name}` that predicting can't supply; give it a default."
            raise HarnessError(Kind.EXCEPTION, message, "TypeError")
        values[name] = makers[role]()
    return values
