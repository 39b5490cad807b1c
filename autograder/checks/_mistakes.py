"""The commonest ways in which an array is wrong: what must be done to the answer to make it right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import permutations

import numpy as np

from autograder.checks.base import Array

Close = Callable[[Array, Array], bool]
_MOST = 4096  # values: enough to tell by

WORDS: dict[str, tuple[str, str]] = {
    "transposed": ("It looks transposed.", "Swap rows and columns (.T), or the factors of the matrix product."),
    "axes": ("The axes stand in another order.", "Use permute or transpose; reshape mixes the values up."),
    "extra_axis": ("There is an axis of length 1 too many or too few.", "Use squeeze, or keepdims=False."),
    "flattened": ("The values are right, but their shape is not.", "Reshape the answer."),
    "not_summed": ("It is not summed over an axis.", "Sum over the axis that the shape asked for lacks."),
    "not_averaged": ("It is not averaged over an axis.", "Take the mean over the axis that the shape lacks."),
    "sign": ("The sign is wrong.", "Look for a missing or doubled minus."),
    "double": ("It is twice as large as it should be.", "Look for a factor 2, or one half that is missing."),
    "half": ("It is half as large as it should be.", "Look for a factor 1/2, or a 2 that is missing."),
    "times_n": ("It is too large by a number of elements.", "Divide by how many there are: mean instead of sum."),
    "over_n": ("It is too small by a number of elements.", "Don't divide by how many there are: sum, no mean."),
    "bits": ("It is in nats where bits were expected.", "Use the logarithm to base 2."),
    "nats": ("It is in bits where nats were expected.", "Use the natural logarithm."),
    "percent": ("It is a percentage where a share was expected.", "Don't multiply by 100."),
    "share": ("It is a share where a percentage was expected.", "Multiply by 100."),
    "factor": ("It is wrong by a constant factor.", "Look for a factor that is missing or too many."),
    "off_by_one": ("It is off by one.", "Check where counting begins, and + 1 or - 1."),
    "offset": ("It is wrong by the same amount everywhere.", "Look for a term that is missing or too many."),
    "shifted": ("The values stand one place from where they belong.", "Check the first index, and slices by one."),
    "reversed": ("The values stand in reverse order.", "Look for a reversed axis."),
    "order": ("The right values stand in the wrong order.", "Is the result sorted, or mixed up by reshape?"),
    "floored": ("It is cut to whole numbers.", "Use / instead of //, and no int()."),
    "rounded": ("It is rounded.", "Return the number itself; round only what you print."),
    "not_floored": ("It is not cut to whole numbers.", "Use // (or floor) where the formula has floor brackets."),
    "logs": ("These are logarithms of what was expected.", "Leave the logarithm out, or apply exp."),
    "no_logs": ("The logarithm is missing.", "Apply the logarithm."),
    "probabilities": ("These are probabilities, logits were expected.", "Leave the softmax out."),
    "logits": ("These look like logits, probabilities were expected.", "Apply softmax over the classes."),
    "root": ("It is the square root of what was expected.", "Leave the root out."),
    "no_root": ("It is the square of what was expected.", "Take the square root, or don't square."),
    "complement": ("It is one minus what was expected.", "Look which of the two classes or cases is meant."),
    "edge": ("It is right except at an edge.", "Look at the first and last index, and at padding."),
    "precise": ("It is nearly right, but not precise enough.", "Compute in float64, without rounding in between."),
}
_FACTORS = {"double": 2.0, "half": 0.5, "bits": np.log(2.0), "nats": 1 / np.log(2.0), "percent": 100.0, "share": 0.01}


def diagnoses(got: Array, expected: Array, close: Close, sizes: Collection[int] = ()) -> list[str]:
    """Keys of WORDS that would explain the difference, likeliest first. sizes: numbers of elements that may matter.

    Both are float64; values that are not finite, and very large arrays, are explained by nothing.
    """
    if got.size > _MOST or expected.size > _MOST or not got.size or not expected.size:
        return []
    if not (np.abs(got) < 1e100).all() or not (np.abs(expected) < 1e100).all():
        return []
    with np.errstate(all="ignore"):
        found = (
            _of_shape(got, expected, close) if got.shape != expected.shape else _of_values(got, expected, close, sizes)
        )
        return list(dict.fromkeys(found))


def commonest(found: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Words and hint of the explanation that fits most answers, if it fits at least half of them; else nothing."""
    counts = Counter(key for keys in found for key in keys)
    order = list(WORDS)
    best = min(counts, key=lambda key: (-counts[key], order.index(key)), default="")
    return WORDS[best] if best and 2 * counts[best] >= len(found) else ("", "")


def _of_shape(got: Array, expected: Array, close: Close) -> Iterator[str]:
    if got.ndim == 2 and close(got.T, expected):
        yield "transposed"
    yield from _turned(got, expected, close)
    if got.size == expected.size:
        if close(got.squeeze(), expected.squeeze()):
            yield "extra_axis"
        elif close(got.ravel(), expected.ravel()):
            yield "flattened"
    for axis in range(got.ndim if got.ndim == expected.ndim + 1 else 0):
        if close(got.sum(axis=axis), expected):
            yield "not_summed"
        if close(got.mean(axis=axis), expected):
            yield "not_averaged"


def _turned(got: Array, expected: Array, close: Close) -> Iterator[str]:
    orders = list(permutations(range(got.ndim)))[1:] if 2 < got.ndim <= 4 else []
    if any(close(got.transpose(order), expected) for order in orders):
        yield "axes"


def _of_values(got: Array, expected: Array, close: Close, sizes: Collection[int]) -> Iterator[str]:
    if got.ndim == 2 and close(got.T, expected):
        yield "transposed"
    yield from _turned(got, expected, close)
    if close(-got, expected):
        yield "sign"
    counts = {n for n in (*sizes, *expected.shape, expected.size) if n > 2}
    for key, factor in _FACTORS.items():
        # A loose tolerance lets many a number pass for a product with log 2.
        exact = key not in ("bits", "nats") or np.allclose(got / factor, expected, rtol=1e-5, atol=0)
        if exact and close(got / factor, expected):
            yield key
    if any(close(got / n, expected) for n in counts):
        yield "times_n"
    if any(close(got * n, expected) for n in counts):
        yield "over_n"
    if close(got - 1, expected) or close(got + 1, expected):
        yield "off_by_one"
    yield from _of_functions(got, expected, close)
    if expected.size < 3:
        return
    squares = float((expected * expected).sum())
    ratio = float((got * expected).sum()) / squares if squares > 0 else 0.0
    if ratio != 0 and close(got / ratio, expected):
        yield "factor"
    if close(got - (got - expected).mean(), expected):
        yield "offset"
    yield from _of_places(got, expected, close)


def _of_functions(got: Array, expected: Array, close: Close) -> Iterator[str]:
    if any(np.array_equal(got, np.round(expected, digits)) for digits in range(5)):
        yield "rounded"
    if np.array_equal(got, np.floor(expected)) or np.array_equal(got, np.trunc(expected)):
        yield "floored"
    if close(np.floor(got), expected):
        yield "not_floored"
    if expected.ndim and expected.shape[-1] > 1:
        if close(got, _softmax(expected)):
            yield "probabilities"
        if close(_softmax(got), expected):
            yield "logits"
    if close(np.exp(got), expected):
        yield "logs"
    if (got > 0).all() and close(np.log(got), expected):
        yield "no_logs"
    if close(got * got, expected):
        yield "root"
    if (got >= 0).all() and close(np.sqrt(got), expected):
        yield "no_root"
    if close(1 - got, expected):
        yield "complement"


def _of_places(got: Array, expected: Array, close: Close) -> Iterator[str]:
    for axis in range(expected.ndim):
        one, other = np.moveaxis(got, axis, 0), np.moveaxis(expected, axis, 0)
        if len(one) > 3 and (close(one[1:], other[:-1]) or close(one[:-1], other[1:])):
            yield "shifted"
        if close(one[::-1], other):
            yield "reversed"
        if len(one) > 2 and (close(one[1:], other[1:]) or close(one[:-1], other[:-1])):
            yield "edge"
    if close(np.sort(got.ravel()), np.sort(expected.ravel())):
        yield "order"
    if float(np.abs(got - expected).max()) <= 1e-2 * float(np.abs(expected).max()):
        yield "precise"


def _softmax(rows: Array) -> Array:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
