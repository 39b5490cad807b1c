"""A model that a student's function has trained is handed to the first call that asks for that very training.

Training it once more would take as long again. What is handed over is the model itself, once, and later calls train
anew: of a copy, methods that the student's code has set on the model would still act on the original.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.session import Origin, Request, Session

_HOW = ("function", "inputs", "targets", "epochs", "batch_size", "lr")


def remember(session: Session, origin: Origin | None, request: Request, model: Any) -> None:
    """Keep what the request `train` made of a model, if a reference `built` could ask for the same.

    origin: how the model was built, None if more was done with it before the training.
    """
    special = [request.get(name, object, None) for name in ("validation_inputs", "validation_targets", "arguments")]
    if origin is None or any(special):
        return
    how = {name: request.get("entry" if name == "function" else name, object, None) for name in _HOW}
    if key := _key(origin, how, request.seed):
        session.trained[key] = model


def hand_over(session: Session, fields: Mapping[str, Any], seed: int) -> Any | None:
    """The model that a reference `built` with a function describes, if it was just trained so; None if not."""
    key = _key(Origin(str(fields.get("name")), fields.get("arguments", {}), seed), fields, seed)
    return session.trained.pop(key, None) if key else None


def _key(origin: Origin, how: Mapping[str, Any], seed: int) -> str:
    """Says how a model is built and trained; nothing where that can't be told by names and numbers."""
    try:
        return json.dumps(
            [origin.entry, origin.arguments, origin.seed, [how.get(name) for name in _HOW], seed], sort_keys=True
        )
    except (TypeError, ValueError):
        return ""
