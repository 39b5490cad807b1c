"""Operations on the model itself: construct, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from harness.convert import device, unsupported
from harness.isolation import seed_all
from harness.resolve import plan_build
from harness.session import Request, Session, operation


@operation("construct")
def run_construct(session: Session, request: Request) -> Mapping[str, Any]:
    """Build the model of an entry, seeded."""
    entry = session.entry(request.text("entry"))
    build = plan_build(session.loaded(), entry, request.get("arguments", dict, {}))
    seed_all(request.seed)
    model = build.target(*build.args, **build.keywords)
    if isinstance(model, tuple | list):  # factories like `return model, tokenizer`
        model = next((part for part in model if isinstance(part, torch.nn.Module)), model)
    if not isinstance(model, torch.nn.Module):
        raise unsupported(f"the model could not be built: got {type(model).__name__} where a torch.nn.Module belongs")
    model = model.to(device())
    return {"handle": session.keep(model), "class_name": type(model).__name__, "how": build.how}


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
