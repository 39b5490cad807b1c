"""Matching the parameters of a student's train or predict function with what the harness can supply, by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from harness.errors import HarnessError, Kind


class Role(StrEnum):
    """What a parameter stands for. The values are the keywords a request's `arguments` may use."""

    MODEL = "model"
    TRAIN_SET = "train_set"
    TRAIN_LOADER = "train_loader"
    TRAIN_INPUTS = "train_inputs"
    TRAIN_TARGETS = "train_targets"
    VALIDATION_SET = "validation_set"
    VALIDATION_LOADER = "validation_loader"
    VALIDATION_INPUTS = "validation_inputs"
    VALIDATION_TARGETS = "validation_targets"
    EPOCHS = "epochs"
    EPOCH = "epoch"
    BATCH_SIZE = "batch_size"
    LR = "lr"
    DEVICE = "device"
    OPTIMIZER = "optimizer"
    CRITERION = "criterion"
    SCHEDULER = "scheduler"
    SEED = "seed"
    OFF = "off"
    RARELY = "rarely"
    ZERO = "zero"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN: dict[Role, frozenset[str]] = {
    Role.MODEL: _words("model net network cnn classifier module neuralnet nnmodel mymodel lstm rnn mlp autoencoder m"),
    Role.EPOCHS: _words("epochs numepochs nepochs epochcount nbepochs maxepochs totalepochs nepoch numepoch maxepoch"),
    Role.EPOCH: _words("epoch epochidx epochindex epochnum epochnumber currentepoch"),
    Role.BATCH_SIZE: _words("batchsize bs minibatchsize trainbatchsize batchsz"),
    Role.LR: _words("lr learningrate alpha eta initiallr"),
    Role.DEVICE: _words("device dev"),
    Role.OPTIMIZER: _words("optimizer optimiser optim opt"),
    Role.CRITERION: _words("criterion crit lossfn lossfunc lossfunction loss losscriterion objective"),
    Role.SCHEDULER: _words("scheduler lrscheduler sched lrsched"),
    Role.SEED: _words("seed randomseed randomstate"),
    Role.OFF: _words("verbose plot show debug save progress log logging draw display savemodel printprogress"),
    Role.RARELY: _words("printevery logevery loginterval printinterval evalevery plotevery logfreq printfreq"),
    Role.ZERO: _words("weightdecay wd l2 l2reg"),
}
_SIDES = {"train": _words("training train trn"), "validation": _words("validation valid val dev test testing eval")}
_LOADER = _words("loader dl dataloader iterator iter batches generator datagen dataiter trainiter")
_SET = _words("set dataset ds")
_OPEN = _words("data samples examples")  # a set, a loader or inputs: the rest of the function tells
_INPUTS = _words("x xs images image imgs inputs input features texts text sentences tokens inputids batch xdata")
_TARGETS = _words("y ys labels label targets target t ydata")
_KEPT_DEFAULTS = frozenset({Role.OPTIMIZER, Role.CRITERION, Role.SCHEDULER, Role.SEED, Role.DEVICE}) | {
    Role.OFF,
    Role.RARELY,
    Role.ZERO,
}
_BY_PART = {
    ("train", "set"): Role.TRAIN_SET,
    ("train", "loader"): Role.TRAIN_LOADER,
    ("train", "inputs"): Role.TRAIN_INPUTS,
    ("train", "targets"): Role.TRAIN_TARGETS,
    ("validation", "set"): Role.VALIDATION_SET,
    ("validation", "loader"): Role.VALIDATION_LOADER,
    ("validation", "inputs"): Role.VALIDATION_INPUTS,
    ("validation", "targets"): Role.VALIDATION_TARGETS,
}


def plan(function: Callable[..., Any], given: Mapping[str, Any], predicting: bool = False) -> dict[str, Role]:
    """The role of each parameter that the harness will supply; the others keep their defaults.

    given: parameters the request names itself (left out here). predicting: data of unclear kind are plain inputs.
    Raises HarnessError(exception, TypeError) naming a required parameter that no name explains.
    """
    parameters = [p for p in _parameters(function) if p.name not in given]
    source = _source(function)
    names = {p.name for p in parameters}
    roles: dict[str, Role] = {}
    for parameter in parameters:
        role = _role(parameter.name, names, source, predicting)
        has_default = parameter.default is not parameter.empty
        if role is None and not has_default:
            raise _unknown(function, parameter.name)
        if role is not None and not (has_default and role in _KEPT_DEFAULTS):
            roles[parameter.name] = role
    return roles


def _role(name: str, names: Iterable[str], source: str, predicting: bool) -> Role | None:
    flat = _flat(name)
    for role, words in _PLAIN.items():
        if flat in words:
            return Role.EPOCHS if role is Role.EPOCH and _counts_to(name, source) else role
    side, part = _split(flat)
    if part == "open" or (part == "set" and _is_iterated(name, source)):
        part = _settle(name, side, names, source, predicting) if part == "open" else "loader"
    return _BY_PART.get((side, part))


def _split(flat: str) -> tuple[str, str]:
    """Side (train, validation) and part (set, loader, inputs, targets, open, or empty) of a name."""
    for side, words in _SIDES.items():
        for word in sorted(words, key=len, reverse=True):
            if flat == word:
                return side, "open"
            for rest in (flat.removeprefix(word), flat.removesuffix(word)):
                if rest != flat and (part := _part(rest)):
                    return side, part
    return "train", _part(flat)


def _part(flat: str) -> str:
    kinds = {"loader": _LOADER, "set": _SET, "open": _OPEN, "inputs": _INPUTS, "targets": _TARGETS}
    return next((kind for kind, words in kinds.items() if flat in words), "")


def _settle(name: str, side: str, names: Iterable[str], source: str, predicting: bool) -> str:
    """What `train_data` or `data` means here."""
    parts = {_split(_flat(other)) for other in names if other != name}
    if (side, "targets") in parts:
        return "inputs"
    if predicting:
        return "loader" if _is_iterated(name, source) else "inputs"
    if "DataLoader(" in source or any(_flat(other) in _PLAIN[Role.BATCH_SIZE] for other in names):
        return "set"
    return "loader"


def _is_iterated(name: str, source: str) -> bool:
    """True if the function loops over the parameter itself."""
    if "DataLoader(" in source:
        return False
    return bool(re.search(rf"\bin\s+(enumerate\(|tqdm\(|iter\()*\s*{re.escape(name)}\s*[:,)]", source))


def _counts_to(name: str, source: str) -> bool:
    """True if a parameter named `epoch` is really the number of epochs."""
    return bool(re.search(rf"range\(\s*(\d+\s*,\s*)?{re.escape(name)}\b", source))


def _flat(name: str) -> str:
    return name.replace("_", "").lower()


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _unknown(function: Callable[..., Any], name: str) -> HarnessError:
    known = "model, train_set or train_loader or x_train and y_train, the same with val_, epochs, batch_size, lr, "
    known += "device, optimizer, criterion"
    message = (
        f"{getattr(function, '__name__', 'the function')} has a parameter `{name}` that the grader can't supply. "
        f"Give it a default value or one of the known names: {known}."
    )
    return HarnessError(Kind.EXCEPTION, message, "TypeError")


def call(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call a function with values by parameter name; positional-only parameters are honoured."""
    args = []
    values = dict(values)
    for parameter in _parameters(function):
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in values:
            args.append(values.pop(parameter.name))
    return function(*args, **values)
