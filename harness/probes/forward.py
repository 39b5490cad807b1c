"""Operation forward: what a model answers to given inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.isolation import mode, seed_all
from harness.learning import infer
from harness.session import Request, Session, operation


@operation("forward")
def run_forward(session: Session, request: Request) -> Mapping[str, Any]:
    """Run the model, `repeat` times one after the other without seeding again in between."""
    model = session.model(request.text("handle"))
    inputs = session.array(request.text("inputs"))
    batch_size = request.whole("batch_size", None, least=1)
    repeat = request.whole("repeat", 1, least=1)
    train = request.get("train", bool, False)
    seed_all(request.seed)
    outputs, name = [], ""
    with mode(model, train):
        for _ in range(repeat):
            array, name = infer(model, inputs, batch_size, request.pad)
            outputs.append(array)
    return {"outputs": outputs, "output_type": name}
