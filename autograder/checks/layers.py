"""layers: the model has the layers that were asked for, as far as its parameters tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._values import count_words, is_clean
from autograder.checks.base import Check, Context, Params, failed, partial, passed
from autograder.model import Observation, Outcome

_MAX_SIZE = 10**9


class LayersParams(Params):
    """How many of each kind. A kind that is left out is not looked at."""

    convolutions: int | None = Field(None, ge=0, description="Number of 2-D convolutions (4-D weights).")
    linear: int | None = Field(None, ge=0, description="Number of linear layers (2-D weights).")
    outputs: int | None = Field(None, ge=1, description="Some linear layer must give this many values.")
    max_side: int | None = Field(
        None,
        ge=1,
        description="Largest side of the feature maps that are flattened: the widest linear input may be at most the "
        "largest number of channels times its square. Sees a missing pooling layer.",
    )


class Layers(Check):
    """Counts weights by their number of dimensions; biases and normalisation are free. Reported, not measured."""

    kind: ClassVar[str] = "layers"
    title: ClassVar[str] = "Layers"
    probes: ClassVar[frozenset[str]] = frozenset({"construct"})
    Params: ClassVar[type[Params]] = LayersParams

    def judge(self, observation: Observation, _context: Context, params: LayersParams) -> Outcome:
        """Share of the demands that hold."""
        weights = _weights(observation.values.get("parameters"))
        if not weights:
            return failed("Your model has no layers with weights.", "Create the layers in __init__ as attributes.")
        kernels = [w for w in weights if len(w) == 4]
        matrices = [w for w in weights if len(w) == 2]
        told = is_clean(observation)  # any number of layers, and any width of one, could be a hidden input
        troubles = _troubles(kernels, matrices, params, told)
        demands = sum(v is not None for v in (params.convolutions, params.linear, params.outputs, params.max_side))
        evidence = {"convolutions": len(kernels), "linear layers": len(matrices)} if told else {}
        if troubles:
            hint = (
                "Compare your __init__ with the list of layers in the handout. A layer counts if it is an attribute of "
                "the model (or in nn.Sequential or nn.ModuleList, not in a plain list)."
            )
            return partial(0.5 * (1 - len(troubles) / demands), " ".join(troubles), hint, **evidence)
        praise = f"{len(kernels)} convolutions and {len(matrices)} linear layers, as asked for."
        return passed(praise if told else "The layers are as asked for.", **evidence)


def _weights(rows: Any) -> list[tuple[int, ...]]:
    """Shapes of at least two dimensions; anything that is no shape is left out."""
    shapes = [r.get("shape") for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    whole = [tuple(s) for s in shapes if isinstance(s, list | tuple) and all(_is_size(n) for n in s)]
    return [s for s in whole if len(s) >= 2]


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_SIZE


def _troubles(
    kernels: Sequence[tuple[int, ...]], matrices: Sequence[tuple[int, ...]], params: LayersParams, told: bool
) -> list[str]:
    troubles = []
    if params.convolutions is not None and len(kernels) != params.convolutions:
        found = count_words(len(kernels), params.convolutions, told=told)
        troubles.append(f"Expected {params.convolutions} convolutions, found {found}.")
    if params.linear is not None and len(matrices) != params.linear:
        found = count_words(len(matrices), params.linear, told=told)
        troubles.append(f"Expected {params.linear} linear layers, found {found}.")
    if params.outputs is not None and not any(m[0] == params.outputs for m in matrices):
        troubles.append(f"No linear layer gives {params.outputs} values.")
    if params.max_side is not None and kernels and matrices:
        most = max(k[0] for k in kernels) * params.max_side**2
        widest = max(m[1] for m in matrices)
        if widest > most:
            side = params.max_side
            values = f"{widest} values, more" if told else "more values"
            troubles.append(
                f"A linear layer takes {values} than {side} × {side} feature maps give: is a pooling layer missing?"
            )
    return troubles
