"""Asking a text model: lengths and masks come from the padded token ids, where its forward wants them."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from harness.adapt import flat

_LENGTHS = {"lengths", "length", "lens", "seqlens", "seqlengths", "inputlengths", "textlengths", "xlens", "xlengths"}
_MASKS = {"mask", "masks", "attentionmask", "attnmask", "inputmask", "srcmask", "tokenmask"}
_PADDING = {"paddingmask", "padmask", "keypaddingmask", "srckeypaddingmask"}  # torch's own: true is padding
_TYPES = {"tokentypeids", "tokentypes", "segmentids", "segids", "segments"}


def answer(model: Any, inputs: Any, pad: int | None) -> Any:
    """What the model returns for a batch. pad: the token id of padding in inputs (N, L); None: inputs alone."""
    return model(inputs) if pad is None or inputs.ndim != 2 else model(inputs, **extras(model, inputs, pad))


def extras(model: Any, inputs: Any, pad: int) -> dict[str, Any]:
    """Keyword arguments for those parameters of forward that padding explains.

    Lengths: int64 (N,) on the CPU, as packing wants it, at least 1. Masks: int64 (N, L), 1 is a token. Masks of
    padding: bool (N, L), true is padding. Token types: int64 (N, L) of zeros.
    """
    try:
        names = list(inspect.signature(model.forward).parameters)[1:]
    except (TypeError, ValueError):
        return {}
    tokens = inputs != pad
    found: dict[str, Any] = {}
    for name in names:
        word = flat(name)
        if word in _LENGTHS:
            places = torch.arange(1, inputs.shape[1] + 1, device=inputs.device)
            last = (tokens * places).amax(1) if inputs.shape[1] else torch.zeros(len(inputs))
            found[name] = last.clamp(min=1).to(torch.int64).cpu()
        elif word in _MASKS:
            found[name] = tokens.to(torch.int64)
        elif word in _PADDING:
            found[name] = ~tokens
        elif word in _TYPES:
            found[name] = torch.zeros_like(inputs, dtype=torch.int64)
    return found
