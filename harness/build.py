"""Building the model of an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from harness.convert import device, unsupported
from harness.isolation import seed_all
from harness.resolve import Build, plan_build
from harness.session import Session


def build_model(session: Session, entry: str, arguments: Mapping[str, Any], seed: int) -> tuple[Any, str]:
    """The model, seeded, on the device, and how it was built. Raises HarnessError, and what the student's code raises.

    Tensors among the arguments are tried as arrays where the student's code refuses tensors.
    """
    build = plan_build(session.loaded(), session.entry(entry), arguments)
    seed_all(seed)
    try:
        model = build.target(*build.args, **build.keywords)
    except TypeError as error:
        model = _with_arrays(build, seed, error)
    if isinstance(model, tuple | list):  # factories like `return model, tokenizer`
        model = next((part for part in model if isinstance(part, torch.nn.Module)), model)
    if not isinstance(model, torch.nn.Module):
        raise unsupported(f"the model could not be built: got {type(model).__name__} where a torch.nn.Module belongs")
    return model.to(device()), build.how


def _with_arrays(build: Build, seed: int, error: TypeError) -> Any:
    """The model, built with numpy arrays instead of tensors. Raises the first error where that doesn't help."""
    if not any(isinstance(value, torch.Tensor) for value in (*build.args, *build.keywords.values())):
        raise error

    def plain(value: Any) -> Any:
        return value.cpu().numpy() if isinstance(value, torch.Tensor) else value

    seed_all(seed)
    try:
        return build.target(*map(plain, build.args), **{k: plain(v) for k, v in build.keywords.items()})
    except Exception:
        raise error from None
