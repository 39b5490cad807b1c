"""Running a student's training function, whatever it takes, with the ends of its epochs noticed from outside."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import torch

from harness.binding import Role, call, plan
from harness.convert import to_tensor, tree
from harness.errors import HarnessError, Kind
from harness.learning import target_tensor
from harness.supplies import Supplies, Task
from harness.watch import Progress, Steps, WatchedSet


def student_loop(
    function: Callable[..., Any], model: Any, task: Task, progress: Progress, given: Mapping[str, Any]
) -> tuple[Any, dict[str, int]]:
    """Call the student's function, once or once an epoch; returns its history as a tree or None, and `Steps.seen`."""
    roles = plan(function, given)
    sees_model = Role.MODEL in roles.values()
    with closing(Steps(model)) as steps:
        on_boundary = progress.epoch_ended if sees_model else _nothing
        watched = WatchedSet(to_tensor(task.inputs), target_tensor(task.targets), model, steps, on_boundary)
        supplies = Supplies(task, model, watched)
        visible = supplies.shows_epochs(roles) and sees_model
        if sees_model and not visible and Role.BATCH_SIZE in roles.values():
            steps.on_step = functools.partial(_epoch_by_steps, progress, task)
        calls = 1 if Role.EPOCHS in roles.values() or not sees_model else task.epochs
        histories = []
        for number in range(1, calls + 1):
            watched.restart()
            returned = call(function, supplies.values(roles, given, epoch=number))
            own = _returned_model(returned)
            if own is None and not sees_model:
                raise _no_model(function)
            progress.model = own if own is not None else model
            unfinished = watched.unfinished() or own not in (None, model)
            if unfinished or not watched.boundaries:
                progress.epoch_ended(None if visible or calls > 1 else task.epochs)
            histories.append(_history(returned))
            if calls > 1 and watched.boundaries and unfinished:
                break  # it loops over epochs itself
    history = histories[0] if len(histories) == 1 else [h for h in histories if h is not None] or None
    return history, steps.seen()


def unheard(_event: str, _payload: Mapping[str, Any]) -> None:
    """For `Progress` where nobody listens to the ends of epochs."""


def _epoch_by_steps(progress: Progress, task: Task, steps: int) -> None:
    """Where the data can't be watched but the batch size is known, so many optimiser steps are an epoch."""
    if steps % math.ceil(len(task.inputs) / task.batch_size) == 0 and progress.sent + 1 < task.epochs:
        progress.epoch_ended()


def _nothing() -> None:
    pass


def _no_model(function: Callable[..., Any]) -> HarnessError:
    name = getattr(function, "__name__", "the function")
    message = f"{name} neither takes a model nor returns one. Give it a parameter `model`."
    return HarnessError(Kind.EXCEPTION, message, "TypeError")


def _returned_model(returned: Any) -> Any:
    parts = returned if isinstance(returned, tuple | list) else (returned,)
    return next((part for part in parts if isinstance(part, torch.nn.Module)), None)


def _history(returned: Any) -> Any:
    """The return value without models, where it can travel."""
    if isinstance(returned, tuple):
        rest = [part for part in returned if not isinstance(part, torch.nn.Module | torch.optim.Optimizer)]
        returned = rest[0] if len(rest) == 1 else rest or None
    try:
        return tree(returned)
    except HarnessError:
        return None
