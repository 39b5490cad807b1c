"""Operation moves: which parameters some training steps move, and how far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.convert import home, to_tensor
from harness.isolation import mode, seed_all
from harness.learning import adam, infer, materialise, step, target_tensor
from harness.session import Request, Session, operation
from harness.student_loop import student_loop, unheard
from harness.supplies import Task
from harness.watch import Progress


@operation("moves")
def run_moves(session: Session, request: Request) -> Mapping[str, Any]:
    """Train for `steps` steps with the grader's loop, or for `epochs` of so many with the student's function."""
    model = session.model(request.text("handle"))
    array, targets = session.array(request.text("inputs")), session.array(request.text("targets"))
    steps, entry = request.whole("steps", 3, least=1), request.text("entry", None)
    function = session.entry(entry).target if entry else None
    materialise(model, array, request.pad)
    start = {name: (p.detach().clone(), bool(p.requires_grad)) for name, p in model.named_parameters()}
    seed_all(request.seed)
    with mode(model, False):
        before, _ = infer(model, array, None, request.pad)
    lr, trained, loop = request.number("lr", 1e-3), model, None
    if function is None:
        tensors = to_tensor(array, home(model)), target_tensor(targets, home(model))
        with mode(model, True):
            optimiser = adam(model, lr)
            for _ in range(steps):
                step(model, optimiser, *tensors, request.pad)
    else:
        size, epochs = max(1, math.ceil(len(array) / steps)), request.whole("epochs", 1, least=1)
        task = Task(array, targets, array, targets, epochs, size, lr, request.seed, request.pad)
        progress = Progress(model, {}, unheard, epochs)
        progress.epoch_ended()  # number 0, before training
        _, loop = student_loop(function, model, task, progress, request.get("arguments", dict, {}))
        trained, loop = progress.model, {**loop, "passes": progress.sent}
    with mode(trained, False):
        after, _ = infer(trained, array, None, request.pad)
    moved = _moved(start, trained, request.whole("tail", 0))
    return {"parameters": moved, "outputs": [before, after], "loop": loop}


def _moved(start: Mapping[str, tuple[Any, bool]], model: Any, tail: int) -> list[dict[str, Any]]:
    """Every parameter as it was and how far it is from there; change is null for one that is no longer there.

    tail: if not 0, the same of the rows from this one on, of matrices that have so many.
    """
    now = dict(model.named_parameters())
    rows = []
    for name, (before, trainable) in start.items():
        after = now.get(name)
        same = after is not None and after.shape == before.shape
        way = (after.detach().to(before) - before).double() if same and after is not None else None
        row = {"name": name, "shape": list(before.shape), "requires_grad": trainable, "count": before.numel()}
        row |= {"change": None if way is None else float(way.norm()), "norm": float(before.double().norm())}
        if tail and before.ndim == 2 and len(before) > tail:
            row["tail_change"] = None if way is None else float(way[tail:].norm())
            row["tail_norm"] = float(before[tail:].double().norm())
        rows.append(row)
    return rows
