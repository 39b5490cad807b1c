"""Operations on the model itself: construct, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from harness.build import build_model
from harness.refs import Making, construct_arguments
from harness.session import Origin, Request, Session, operation


@operation("construct")
def run_construct(session: Session, request: Request) -> Mapping[str, Any]:
    """Build the model of an entry, seeded."""
    entry, arguments = request.text("entry"), request.get("arguments", dict, {})
    given = construct_arguments(Making(session, seed=request.seed), arguments)
    model, how = build_model(session, entry, given, request.seed)
    handle = session.keep(model, Origin(entry, arguments, request.seed))
    return {"handle": handle, "class_name": type(model).__name__, "how": how}


@operation("parameters")
def run_parameters(session: Session, request: Request) -> Mapping[str, Any]:
    """List a model's parameters and modules as they report themselves."""
    model = session.model(request.text("handle"))
    parameters = [
        {
            "name": name,
            "shape": list(getattr(parameter, "shape", ())) if _is_ready(parameter) else [],
            "dtype": str(parameter.dtype).removeprefix("torch."),
            "requires_grad": bool(parameter.requires_grad),
        }
        for name, parameter in model.named_parameters()
    ]
    modules = [{"name": name, "type": type(module).__name__} for name, module in model.named_modules()]
    return {"parameters": parameters, "modules": modules}


def _is_ready(parameter: Any) -> bool:
    """False for parameters of lazy layers, which have no shape before the first forward pass."""
    return not isinstance(parameter, torch.nn.parameter.UninitializedParameter)


@operation("gpu_memory")
def run_gpu_memory(_session: Session, _request: Request) -> Mapping[str, Any]:
    """The most memory of the card in use since this was asked last, in MB; null without a card."""
    if not torch.cuda.is_available():
        return {"peak_mb": None}
    peak = torch.cuda.max_memory_allocated() / (1 << 20)
    torch.cuda.reset_peak_memory_stats()
    return {"peak_mb": peak}
