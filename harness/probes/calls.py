"""Operations that run a student's function on given arguments: call, calls, predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from harness.adapt import adapt
from harness.binding import Role, call, plan
from harness.convert import device, predictions, to_tensor, tree
from harness.errors import BadRequest, HarnessError, Kind, describe
from harness.isolation import mode, seed_all
from harness.learning import infer
from harness.refs import Making, realise
from harness.resolve import Resolved
from harness.session import Request, Session, operation
from harness.wire import Array, WireError


@operation("call")
def run_call(session: Session, request: Request) -> Mapping[str, Any]:
    """Call an entry with a tree of arguments. An entry of kind value is returned itself, as long as none are given."""
    entry = session.entry(request.text("entry"))
    making = Making(session, request.get("as_tensor", bool, False), request.seed)
    arguments = realise(making, request.get("arguments", list, []))
    keywords = realise(making, request.get("keywords", dict, {}))
    if entry.kind == "value" and not arguments and not keywords:
        return {"value": tree(entry.target)}
    args, named = adapt(_callable(entry, request), entry.parameters, arguments, keywords)
    seed_all(request.seed)
    return {"value": tree(entry.target(*args, **named))}


@operation("calls")
def run_calls(session: Session, request: Request) -> Mapping[str, Any]:
    """Call an entry with every case; an event with the answer or the error of each, as soon as there is one."""
    entry = session.entry(request.text("entry"))
    making = Making(session, request.get("as_tensor", bool, False), request.seed)
    function, keep = _callable(entry, request), request.get("keep_arguments", bool, False)
    for case in request.get("cases", list):
        if not isinstance(case, dict):
            raise BadRequest("a case holds arguments and keywords")
        # What is wrong here is no answer to the case: a signature that doesn't fit, or a model that can't be built.
        made = realise(making, [case.get("arguments") or [], case.get("keywords") or {}])
        args, named = adapt(function, entry.parameters, *made)
        seed_all(request.seed)
        outcome = _outcome(function, args, named)
        _emit(request, {**outcome, **_kept(made[0])} if keep else outcome)
    return {}


def _outcome(function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    """{"value": tree} or {"error": error object}."""
    try:
        return {"value": tree(function(*args, **named))}
    except BaseException as error:
        return {"error": {**describe(error), "base": _built_in(error)}}


def _built_in(error: BaseException) -> str:
    """The name of the nearest class of Python's own that an exception is or inherits from."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _kept(arguments: list[Any]) -> dict[str, Any]:
    """{"arguments": [tree]} as they are after the call; nothing if they can't travel any more."""
    try:
        return {"arguments": tree(arguments)}
    except BaseException:
        return {}


def _emit(request: Request, outcome: dict[str, Any]) -> None:
    """Send one answer; one that can't be put into a frame becomes an error."""
    try:
        request.emit("answer", outcome)
    except (WireError, MemoryError) as error:
        refused = HarnessError(Kind.UNSUPPORTED, f"The answer can't be sent: {error}. Return tensors or arrays.")
        request.emit("answer", {"error": describe(refused)})


def _callable(entry: Resolved, request: Request) -> Callable[..., Any]:
    """The entry's function. Raises HarnessError for what can't be called."""
    if not callable(entry.target):
        raise HarnessError(Kind.EXCEPTION, f"{request.text('entry')} is no function", "TypeError")
    return entry.target  # type: ignore[no-any-return]


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
        outputs, name = infer(model, inputs, batch_size, request.pad)
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
