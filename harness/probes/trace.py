"""Operation trace: which operations a forward pass runs, in order, whether modules or functions call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.isolation import mode, seed_all
from harness.learning import infer, materialise
from harness.ops import Places, extras, shapes, tensors, watched
from harness.probes.construct import run_parameters
from harness.session import Request, Session, operation

MAX_OPS = 4000


@operation("trace")
def run_trace(session: Session, request: Request) -> Mapping[str, Any]:
    """One forward pass; the operations in it, and the parameters and modules of the model."""
    model = session.model(request.text("handle"))
    array = session.array(request.text("inputs"))
    materialise(model, array, request.pad)
    places, ops = Places(model), list[dict[str, Any]]()

    def seen(op: str, _given: Any, args: tuple[Any, ...], keywords: dict[str, Any], result: Any) -> None:
        if len(ops) < MAX_OPS:
            out = [list(map(int, t.shape)) for t in list(tensors(result))[:4]]
            row = {"op": op, "module": places.current, "in": shapes(op, args, keywords), "out": out}
            ops.append({**row, **extras(op, args, keywords)})

    seed_all(request.seed)
    with mode(model, request.get("train", bool, False)), watched(places, seen):
        infer(model, array, None, request.pad)
    return {"ops": ops, **run_parameters(session, request)}
