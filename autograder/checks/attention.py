"""attention: an attention tensor has the right axes, rows that sum to 1, and no weight where none may be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._answers import Answer, answers, raised
from autograder.checks._trees import Telling, kind_of
from autograder.checks._values import brief, shape_text, text
from autograder.checks.base import Array, ArrayName, CaseList, Check, Context, Params, as_array, failed, passed
from autograder.model import Observation, Outcome, Statistic

_SUMS = 10  # as many tolerances a sum of weights may be off
AXES = ("batch", "layers", "heads", "query", "key")


class AttentionParams(Params):
    """Sizes of the axes, and what must hold."""

    layers: int | None = Field(None, ge=1, description="Number of layers; default: those of the reference.")
    heads: int | None = Field(None, ge=1, description="Number of heads; default: those of the reference.")
    batch: int | None = Field(None, ge=1, description="Rows of the batch; default: those of the mask or reference.")
    tokens: int | None = Field(None, ge=1, description="Length; default: that of the mask or reference.")
    mask: ArrayName = Field("", description="Mask (N, T), 1 for a token, 0 for padding; empty: no padding.")
    reference: ArrayName = Field("", description="The attention itself (N, L, H, T, T); empty: not compared.")
    cases: CaseList = Field("", description="List of cases, if the observation does not name it.")
    causal: bool = Field(False, description="No token may look at later ones.")
    tolerance: float = Field(1e-4, gt=0, description="Largest difference of a weight, or of a row's sum from 1.")


class Attention(Check):
    """Attention (batch, layers, heads, T, T): entry [n, l, h, q, k] is how much token q looks at token k.

    With `calls`, a case may expect {"attention": array, "mask": array} of its own. Padding queries are not looked at.
    """

    kind: ClassVar[str] = "attention"
    title: ClassVar[str] = "Attention weights"
    probes: ClassVar[frozenset[str]] = frozenset({"calls", "call", "forward"})
    Params: ClassVar[type[Params]] = AttentionParams

    def judge(self, observation: Observation, context: Context, params: AttentionParams) -> Outcome:
        """The first thing that is wrong, from shape to values. Only right weights are measured, as luck mends none."""
        if observation.probe == "forward":
            outputs = observation.values.get("outputs")
            given = [Answer(outputs[0] if type(outputs) is list and outputs else outputs)]
        else:
            given = answers(observation, context, params.cases)
        if not given:
            return failed("No attention came back.", "Return one tensor (batch, layers, heads, tokens, tokens).")
        named = {params.mask, params.reference, params.cases, text(observation.values.get("cases"))}
        telling = Telling.of(observation, hidden=bool(named & context.hidden))
        if (broken := raised(given, "Call your function yourself with such a batch.")) is not None:
            return broken
        largest = 0.0
        for answer in sorted(given, key=lambda answer: answer.size):
            mask, reference = _known(context, params, answer.expected)
            trouble = _trouble(answer.value, mask, reference, params, telling)
            if trouble is not None:
                return failed(*trouble)
            largest = max(largest, _excess(answer.value, mask, reference, params))
        compared = " and equal the reference" if params.reference else ""
        words = f"The attention weights have the right axes, rows that sum to 1, and stay in bounds{compared}."
        return passed(words).measured(Statistic.excess(largest, "tolerance"))


def _known(context: Context, params: AttentionParams, expected: Any) -> tuple[Array | None, Array | None]:
    """Mask (N, T) bool and reference, from the case or from the data set."""
    own = expected if isinstance(expected, Mapping) else {}
    mask = own.get("mask", context.arrays[params.mask] if params.mask else None)
    reference = own.get("attention", context.arrays[params.reference] if params.reference else None)
    return (
        None if mask is None else np.asarray(mask) != 0,
        None if reference is None else np.asarray(reference, np.float64),
    )


def _trouble(
    value: Any, mask: Array | None, reference: Array | None, params: AttentionParams, telling: Telling
) -> tuple[str, str] | None:
    """Message and hint, or None."""
    if type(value) in (list, tuple) and value and all(isinstance(v, np.ndarray) for v in value[:100]):
        return (
            f"A list of {f'{len(value)} ' if telling.got else ''}arrays came back; one tensor is asked for.",
            "Stack the layers: torch.stack(attentions, dim=1) puts them behind the batch axis.",
        )
    weights = as_array(value)
    if weights is None:
        return (
            f"An attention tensor was expected, got {kind_of(value, told=telling.got)}.",
            "Does the model return attentions (eager attention, output_attentions)?",
        )
    sizes = _sizes(mask, reference, params)
    told = sizes if telling.expected else (params.batch, params.layers, params.heads, params.tokens, params.tokens)
    wrong = _wrong_shape(weights.shape, sizes, _expectation(told, weights.shape, telling))
    if wrong is not None:
        return wrong
    if not np.isfinite(weights).all():
        return "An attention weight is NaN or infinite.", "Is a row masked altogether, so that its softmax is 0/0?"
    seen = np.ones((weights.shape[0], weights.shape[-1]), bool) if mask is None else mask
    for trouble in (_sums(weights, seen, params), _bounds(weights, seen, params)):
        if trouble is not None:
            return _swapped_values(weights, seen, reference, params) or trouble
    return _compared(weights, seen, reference, params)


def _sizes(mask: Array | None, reference: Array | None, params: AttentionParams) -> tuple[int | None, ...]:
    """Asked-for sizes of the five axes; None where nothing says one."""
    if reference is not None and reference.ndim == len(AXES):
        batch, layers, heads, _, tokens = reference.shape
    else:
        layers = heads = None
        batch, tokens = mask.shape if mask is not None else (None, None)
    tokens = params.tokens or tokens
    return params.batch or batch, params.layers or layers, params.heads or heads, tokens, tokens


def _expectation(sizes: tuple[int | None, ...], found: tuple[int, ...], telling: Telling) -> str:
    wanted = "(" + ", ".join(str(s or name) for s, name in zip(sizes, AXES, strict=True)) + ")"
    got = shape_text(found) if telling.got else f"{len(found)} axes"
    return f"Expected (batch, layers, heads, tokens, tokens) = {wanted}, got {got}."


def _wrong_shape(found: tuple[int, ...], sizes: tuple[int | None, ...], message: str) -> tuple[str, str] | None:
    if len(found) == len(sizes) and all(s is None or s == f for s, f in zip(sizes, found, strict=True)):
        return None if found[3] == found[4] else ("The last two axes must both be the tokens.", "")
    if len(found) == 4:
        return message, "Is it one layer only, or one head, or the mean over heads? All layers and heads are asked for."
    if len(found) != 5:
        return message, "Stack the layers with torch.stack(attentions, dim=1)."
    for one, other in combinations(range(5), 2):
        swapped = list(found)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        if all(s is None or s == f for s, f in zip(sizes, swapped, strict=True)):
            extra = " torch.stack(attentions, dim=1), not dim=0." if (one, other) == (0, 1) else ""
            return f"{message} The axes {AXES[one]} and {AXES[other]} are swapped.", f"Put them in order.{extra}"
    return message, "Which axis is which? Print the shape of each step."


def _is_one(sums: Array, params: AttentionParams) -> bool:
    return bool(np.abs(sums - 1).max(initial=0) <= params.tolerance * _SUMS)


def _sums(weights: Array, seen: Array, params: AttentionParams) -> tuple[str, str] | None:
    """Rows of real queries must sum to 1 over keys."""
    rows = weights.sum(axis=4)[np.broadcast_to(seen[:, None, None, :], weights.shape[:4])]
    if weights.min() < -params.tolerance:
        return "An attention weight is negative.", "These are scores; the weights are their softmax."
    if _is_one(rows, params):
        return None
    if _is_one(weights.sum(axis=3), params):
        return (
            "The columns sum to 1, not the rows: query and key axes are swapped.",
            "Entry [q, k] is how much token q looks at token k; the softmax goes over the last axis.",
        )
    if _is_one(weights.sum(axis=2), params):
        return "The weights sum to 1 over heads, not over keys.", "softmax(dim=-1)."
    return (
        f"The rows sum to between {brief(float(rows.min()))} and {brief(float(rows.max()))}, not to 1.",
        "Take the softmax over the last axis, after masking; apply no dropout (model.eval()).",
    )


def _bounds(weights: Array, seen: Array, params: AttentionParams) -> tuple[str, str] | None:
    """Nothing on padding keys; nothing on later tokens if causal. Rows of padding queries are not looked at."""
    real = seen[:, None, None, :, None]
    on_padding = np.where(real & ~seen[:, None, None, None, :], weights, 0.0)
    if not on_padding.max(initial=0) <= params.tolerance:
        return (
            f"Up to {brief(float(on_padding.sum(axis=4).max()))} of a token's attention lies on padding.",
            "Pass attention_mask to the model, or set masked scores to -inf before the softmax.",
        )
    later = np.triu(np.ones(weights.shape[-2:], bool), 1)
    if params.causal and not np.where(real & later, weights, 0.0).max(initial=0) <= params.tolerance:
        return "Tokens look at later ones.", "Mask the upper triangle before the softmax (torch.triu with diagonal=1)."
    return None


def _excess(value: Any, mask: Array | None, reference: Array | None, params: AttentionParams) -> float:
    """The largest difference of right weights as a multiple of what is allowed."""
    weights = np.asarray(value, np.float64)
    seen = np.ones((weights.shape[0], weights.shape[-1]), bool) if mask is None else mask
    real, later = seen[:, None, None, :, None], np.triu(np.ones(weights.shape[-2:], bool), 1)
    rows = weights.sum(axis=4)[np.broadcast_to(seen[:, None, None, :], weights.shape[:4])]
    found = [
        float(np.abs(rows - 1).max(initial=0)) / _SUMS,
        -float(weights.min()),
        float(np.where(real & ~seen[:, None, None, None, :], weights, 0.0).max(initial=0)),
        float(np.where(real & later, weights, 0.0).max(initial=0)) if params.causal else 0.0,
        0.0 if reference is None else float(np.abs(np.where(real, weights - reference, 0.0)).max(initial=0)),
    ]
    return max(found) / params.tolerance


def _near(weights: Array, seen: Array, reference: Array, params: AttentionParams) -> bool:
    if weights.shape != reference.shape:
        return False
    real = seen[:, None, None, :, None]
    return bool(np.abs(np.where(real, weights - reference, 0.0)).max(initial=0) <= params.tolerance)


def _swapped_values(
    weights: Array, seen: Array, reference: Array | None, params: AttentionParams
) -> tuple[str, str] | None:
    """Which two axes are swapped, where sizes alone can't tell; None if no swap gives the reference."""
    if reference is None:
        return None
    for one, other in combinations(range(5), 2):
        if _near(weights.swapaxes(one, other), seen, reference, params):
            return (
                f"The axes {AXES[one]} and {AXES[other]} are swapped.",
                "Sizes happen to agree; the values show it. torch.stack(attentions, dim=1) gives (batch, layers, …).",
            )
    return None


def _compared(weights: Array, seen: Array, reference: Array | None, params: AttentionParams) -> tuple[str, str] | None:
    if reference is None or _near(weights, seen, reference, params):
        return None
    swapped = _swapped_values(weights, seen, reference, params)
    if swapped is not None:
        return swapped
    if _near(weights[:, ::-1], seen, reference, params):
        return "The layers are in reverse order.", "The first layer comes first."
    if _near(weights, seen, np.broadcast_to(reference.mean(axis=2, keepdims=True), reference.shape), params):
        return "Every head holds the mean over heads.", "Keep the heads apart."
    return (
        "The weights are no attention of this model on this batch.",
        "Take them from the model's own forward in eval mode, with the mask, and change nothing.",
    )
