"""What kind of layer a weight belongs to, told from shapes, because names can be lost, unusual or lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.checks._values import number, shape, text

KINDS = ("conv", "linear", "bias", "vector", "scalar")
KIND_WORDS = {
    "conv": "convolution weight",
    "linear": "linear (or embedding, or recurrent) weight",
    "bias": "bias",
    "vector": "normalisation weight or bias",
    "scalar": "single number",
}


@dataclass(frozen=True)
class Weight:
    """One parameter as it was reported. of: the kind of layer of a bias.

    change, norm, and the same of the rows from the observation's `tail` on: NaN where not reported.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    of: str
    trainable: bool
    change: float
    norm: float
    tail_change: float
    tail_norm: float

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def weights_of(listed: Sequence[Mapping[str, Any]]) -> list[Weight]:
    """The parameters whose shape can be read. A vector right after a weight with as many outputs is its bias."""
    found: list[Weight] = []
    for row in listed:
        sizes = shape(row.get("shape"))
        if sizes is None:
            continue
        kind = {0: "scalar", 1: "vector", 2: "linear"}.get(len(sizes), "conv")
        before = found[-1] if found else None
        of = kind
        outputs = before.shape[: 2 if before.kind == "conv" else 1] if before else ()  # transposed: the second
        if kind == "vector" and before and before.kind in ("conv", "linear") and sizes[0] in outputs:
            kind, of = "bias", before.kind
        found.append(
            Weight(
                text(row.get("name")),
                sizes,
                kind,
                of,
                row.get("requires_grad") is True,
                number(row.get("change")),
                number(row.get("norm")),
                number(row.get("tail_change")),
                number(row.get("tail_norm")),
            )
        )
    return found


def total(weights: Sequence[Weight]) -> int:
    """Numbers in all of them together."""
    return sum(w.count for w in weights)
