"""Operation train: the grader's own loop, or the student's function; the model is evaluated after every epoch."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch

from harness.convert import home, to_tensor
from harness.handover import remember
from harness.isolation import kept_gradients_and_buffers, kept_randomness, mode, seed_all
from harness.learning import adam, global_norm, loss_of, materialise, step, target_tensor
from harness.padding import answer
from harness.session import Request, Session, operation
from harness.student_loop import student_loop
from harness.supplies import Task
from harness.watch import Progress

MEASURED_BATCHES = 4


@operation("train")
def run_train(session: Session, request: Request) -> Mapping[str, Any]:
    """Train a model; an `epoch` event before training and after every epoch."""
    handle = request.text("handle")
    origin = session.origins.get(handle)
    model = session.model(handle)
    task = _task(session, request)
    evaluate = {label: session.array(name) for label, name in request.get("evaluate", dict, {}).items()}
    progress = Progress(model, evaluate, request.emit, task.epochs, task.pad)
    entry = request.text("entry", None)
    function = session.entry(entry).target if entry else None
    materialise(model, task.inputs, task.pad)
    seed_all(task.seed)
    measured = request.get("leftover", bool, True)
    before = _batch_gradient(model, task) if measured else None
    progress.epoch_ended()
    seed_all(task.seed)
    history = None
    if function is None:
        with mode(model, True):
            _grader_loop(model, task, progress)
    else:
        history, _ = student_loop(function, model, task, progress, request.get("arguments", dict, {}))
        remember(session, origin, request, progress.model)
    leftover = None
    if measured:
        left = global_norm(p.grad for p in progress.model.parameters())
        leftover = {"left": left, "before": before, "one_batch": _batch_gradient(progress.model, task)}
    return {"epochs": progress.sent, "history": history, "leftover_gradient": leftover}


def _task(session: Session, request: Request) -> Task:
    inputs, targets = session.array(request.text("inputs")), session.array(request.text("targets"))
    validation = [request.text(f"validation_{part}", None) for part in ("inputs", "targets")]
    held_out = [session.array(name) for name in validation if name]
    return Task(
        inputs=inputs,
        targets=targets,
        validation_inputs=held_out[0] if len(held_out) == 2 else inputs,
        validation_targets=held_out[1] if len(held_out) == 2 else targets,
        epochs=request.whole("epochs", least=1),
        batch_size=request.whole("batch_size", 32, least=1),
        lr=request.number("lr", 1e-3),
        seed=request.seed,
        pad=request.pad,
    )


def _grader_loop(model: Any, task: Task, progress: Progress) -> None:
    """Adam on the loss of `learning.loss_of`, a new order every epoch."""
    inputs, targets = to_tensor(task.inputs, home(model)), target_tensor(task.targets, home(model))
    optimiser = adam(model, task.lr)
    order = torch.Generator().manual_seed(task.seed)
    for _ in range(task.epochs):
        for rows in task.batches(torch.randperm(len(inputs), generator=order)):
            step(model, optimiser, inputs[rows], targets[rows], task.pad)
        progress.epoch_ended()


def _batch_gradient(model: Any, task: Task) -> float | None:
    """The median norm of one batch's gradient at the weights that the model has; None if there is no gradient.

    Far more than that left on the parameters after training means that gradients were never cleared.
    """
    inputs, targets = to_tensor(task.inputs, home(model)), target_tensor(task.targets, home(model))
    # Mixed, because a set sorted by label has batches of one class, whose gradients can be tiny once that is learned.
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(task.seed))
    norms: list[float] = []
    with suppress(Exception), kept_randomness(), mode(model, True), kept_gradients_and_buffers(model):
        for rows in task.batches(order)[:MEASURED_BATCHES]:
            model.zero_grad()
            loss = loss_of(answer(model, inputs[rows], task.pad), targets[rows])
            if loss.requires_grad:
                loss.backward()
                norms.append(global_norm(p.grad for p in model.parameters()))
    return statistics.median(norms) if norms else None
