"""output_shape: the model returns one tensor of the right shape, type and kind of values."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._values import is_clean, shape_text, text, whole
from autograder.checks.base import Array, Check, Context, Params, failed, passed
from autograder.checks.measures import looks_like_probabilities, looks_squashed
from autograder.model import Observation, Outcome


class OutputShapeParams(Params):
    """What the output must look like."""

    shape: tuple[int | Literal["N"], ...] = Field(description="Expected shape; N is the number of rows sent.")
    dtype: Literal["float", "int", "any"] = Field("float", description="Kind of numbers.")
    values: Literal["any", "logits"] = Field(
        "any", description="logits: rows that went through a softmax, sigmoid or ReLU fail."
    )


class OutputShape(Check):
    """Shape, dtype and, if asked for, that the values are no probabilities."""

    kind: ClassVar[str] = "output_shape"
    title: ClassVar[str] = "Output shape"
    probes: ClassVar[frozenset[str]] = frozenset({"forward", "predict"})
    Params: ClassVar[type[Params]] = OutputShapeParams

    def judge(self, observation: Observation, _context: Context, params: OutputShapeParams) -> Outcome:
        """Compare the first output with what the spec expects."""
        outputs = observation.values.get("outputs")
        first = outputs[0] if isinstance(outputs, list) and outputs else outputs
        rows = whole(observation.values.get("rows"))
        expected = tuple(rows if size == "N" and rows is not None else size for size in params.shape)
        wanted = shape_text(params.shape)
        if not isinstance(first, np.ndarray):
            returned = text(observation.values.get("output_type"))
            return failed(
                f"Expected one tensor of shape {wanted}, got {returned or 'nothing that can be read'}.",
                "Return the tensor itself from forward.",
                expected=wanted,
            )
        # A process that has seen hidden inputs can say something with a shape; without values it can be anything.
        told = is_clean(observation)
        got = shape_text(first.shape) if told else f"a tensor of {first.ndim} axes"
        got = got if first.size else "a tensor without values"
        if first.shape != expected:
            return failed(
                f"Expected shape {wanted}, got {got}.",
                _shape_hint(first, expected),
                expected=shape_text(expected) if told else wanted,
                got=got,
            )
        if params.dtype == "float" and first.dtype == np.float16:
            return failed(
                "The scores come in half precision (float16).",
                "Leave the model in float32: no .half() and no autocast. Small gradients get lost in half precision.",
                expected="float32",
                got="float16",
            )
        kinds = {"float": "f", "int": "iub", "any": "fiub"}[params.dtype]
        if first.dtype.kind not in kinds:
            return failed(
                f"Expected {params.dtype} values, got {first.dtype.name}.",
                "Return the scores themselves, not the predicted class."
                if params.dtype == "float"
                else "Return whole numbers: the predicted classes (argmax), not the scores.",
                expected=params.dtype,
                got=first.dtype.name,
            )
        trouble = _no_logits(first.astype(np.float64)) if params.values == "logits" else None
        said = f"Shape {got}, as expected.{_wrapping(observation)}" if told else f"Shape {wanted}, as expected."
        return trouble or passed(said)


def _wrapping(observation: Observation) -> str:
    """What to say about a tensor that came inside of something else."""
    returned = text(observation.values.get("output_type"))
    if returned not in ("tuple", "dict"):
        return ""
    return f" (forward returned a {returned}: its first tensor was taken. Return one tensor: training can't use more.)"


def _no_logits(values: Array) -> Outcome | None:
    """What was done to the scores that should not have been, or None."""
    if looks_like_probabilities(values):
        return failed(
            "Your model returns probabilities (every row is non-negative and sums to 1), but logits are asked for.",
            "Drop the softmax at the end of forward: CrossEntropyLoss applies it itself, and twice is once too "
            "often (training becomes slow and the loss can't fall below about 1.46 for 10 classes).",
            expected="logits",
            got="probabilities",
        )
    squashed = looks_squashed(values)
    if squashed == "sigmoid":
        return failed(
            "All scores lie between 0 and 1, around one half: they went through a sigmoid, but logits are asked for.",
            "Return what the last linear layer gives. CrossEntropyLoss compares scores of any size.",
            expected="logits",
            got="values of a sigmoid",
        )
    if squashed == "relu":
        return failed(
            "No score is negative and some are exactly 0: they went through a ReLU, but logits are asked for.",
            "Return what the last linear layer gives. Behind a ReLU a class can lose its gradient for good.",
            expected="logits",
            got="values of a ReLU",
        )
    return None


def _shape_hint(got: Array, expected: tuple[Any, ...]) -> str:
    """The likeliest cause of a wrong shape."""
    if got.ndim == len(expected) and got.shape[::-1] == expected:
        return "The axes are swapped: rows are examples, columns are classes."
    if got.ndim == len(expected) and got.shape[0] != expected[0]:
        return "The number of rows changed: flatten with x.flatten(1) or x.view(x.size(0), -1), keeping the batch axis."
    if got.ndim == len(expected):
        return f"The last layer must give {expected[-1]} values a row, one for each class."
    if got.ndim > len(expected):
        return "Flatten the feature maps before the fully connected layers."
    return "Don't reduce (mean, argmax, squeeze) the scores in forward: return one row of scores for each example."
