"""Operation checkpoint: load a weights file that came with the submission, without running anything in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.errors import HarnessError, Kind, message_of
from harness.isolation import mode, seed_all
from harness.learning import infer, materialise
from harness.session import Request, Session, operation

MAX_TENSORS = 2000  # of which the judge is told, and as many names that don't fit
_LEVELS = 5  # of dictionaries in dictionaries; real files have two, and a dictionary may hold itself
_INNER = ("state_dict", "model_state_dict", "model", "net", "weights")
_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile


@operation("checkpoint")
def run_checkpoint(session: Session, request: Request) -> Mapping[str, Any]:
    """What the file holds, how it fits the model, and the model's outputs with these weights."""
    model, name = session.model(request.text("handle")), request.text("file")
    state = _state(session.folder / name, name)
    inputs = request.text("inputs", None)
    if inputs:
        materialise(model, session.array(inputs), request.pad)
    fit = model.load_state_dict(state, strict=False)
    rows = [
        {"name": key, "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
        for key, value in list(state.items())[:MAX_TENSORS]
    ]
    missing, unexpected = (list(keys)[:MAX_TENSORS] for keys in (fit.missing_keys, fit.unexpected_keys))
    told = {"tensors": rows, "missing": missing, "unexpected": unexpected}
    if not inputs:
        return told
    seed_all(request.seed)
    with mode(model, False):
        outputs, _ = infer(model, session.array(inputs), None, request.pad)
    return {**told, "outputs": outputs}


def _state(path: Path, name: str) -> dict[str, Any]:
    """The tensors of a file by name. Raises HarnessError for one that is missing, unsafe or holds none."""
    if not path.is_file():
        raise HarnessError(Kind.MISSING, f"There is no file {name} in the submission.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            held: Any = load_file(str(path))
        else:
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        message = (
            f"{name} can't be loaded as weights alone ({type(error).__name__}: {message_of(error)[:300]}). "
            "Save them with torch.save(model.state_dict(), …), not the whole model."
        )
        raise HarnessError(Kind.EXCEPTION, message, "UnpicklingError") from error
    tensors = _tensors(held)
    if not tensors:
        message = f"{name} holds no weights. Save them with torch.save(model.state_dict(), …)."
        raise HarnessError(Kind.UNSUPPORTED, message)
    return tensors


def _tensors(held: Any, levels: int = _LEVELS) -> dict[str, Any]:
    """The tensors in what a file held, from a usual key inside if there is one."""
    if not isinstance(held, Mapping) or not levels:
        return {}
    found = {str(key): value for key, value in held.items() if isinstance(value, torch.Tensor)}
    inner = next((held[key] for key in _INNER if isinstance(held.get(key), Mapping)), None)
    if inner is not None:
        return _tensors(inner, levels - 1) or found
    for prefix in _PREFIXES:
        if found and all(key.startswith(prefix) for key in found):
            found = {key.removeprefix(prefix): value for key, value in found.items()}
    return found
