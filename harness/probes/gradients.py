"""Operation gradient_norms: which parameters a backward pass reaches, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.convert import home, to_tensor
from harness.isolation import kept_gradients_and_buffers, mode, seed_all
from harness.learning import global_norm, loss_of, materialise, target_tensor
from harness.padding import answer
from harness.session import Request, Session, operation


@operation("gradient_norms")
def run_gradient_norms(session: Session, request: Request) -> Mapping[str, Any]:
    """One forward and backward pass in train mode. A parameter the pass never reached has norm null."""
    model = session.model(request.text("handle"))
    array = session.array(request.text("inputs"))
    materialise(model, array, request.pad)
    inputs, name = to_tensor(array, home(model)), request.text("targets", None)
    targets = target_tensor(session.array(name), home(model)) if name else None
    seed_all(request.seed)
    with mode(model, True), kept_gradients_and_buffers(model):
        loss = loss_of(answer(model, inputs, request.pad), targets)
        if loss.requires_grad:
            loss.backward()
        parameters = [
            {"name": name, "norm": None if p.grad is None else global_norm([p.grad]), "shape": list(p.shape)}
            for name, p in model.named_parameters()
        ]
        return {"loss": float(loss.detach()), "parameters": parameters}
