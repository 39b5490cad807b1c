"""Operation overfit: can the model learn one small batch by heart?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.convert import home, to_tensor
from harness.isolation import mode, seed_all
from harness.learning import adam, infer, step, target_tensor
from harness.session import Request, Session, operation


@operation("overfit")
def run_overfit(session: Session, request: Request) -> Mapping[str, Any]:
    """Train on one batch with Adam; outputs before and after in eval mode, the training loss of every step."""
    model = session.model(request.text("handle"))
    array = session.array(request.text("inputs"))
    targets = target_tensor(session.array(request.text("targets")), home(model))
    steps, lr = request.whole("steps", least=1), request.number("lr", 1e-3)
    seed_all(request.seed)
    with mode(model, False):
        before, _ = infer(model, array, None, request.pad)
    inputs = to_tensor(array, home(model))
    with mode(model, True):
        optimiser = adam(model, lr)
        losses = [step(model, optimiser, inputs, targets, request.pad) for _ in range(steps)]
    with mode(model, False):
        after, _ = infer(model, array, None, request.pad)
    return {"outputs": [before, after], "losses": losses}
