"""checkpoint: a file of weights holds what the model needs, and gives the answers it should."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._values import is_clean, rows, shape, shape_text, text
from autograder.checks.base import Array, ArrayName, Check, Context, Params, as_array, failed
from autograder.model import Observation, Outcome, Statistic


class CheckpointParams(Params):
    """What must be in the file, and what the model must answer with it."""

    tensors: dict[str, tuple[int | None, ...] | None] = Field(
        default_factory=dict, description="Names (or patterns) that must be there, with their shape; null: any."
    )
    shapes: tuple[tuple[int | None, ...], ...] = Field(
        (), description="Shapes that must be there under whatever names; null: any size."
    )
    may_miss: tuple[str, ...] = Field((), description="Patterns of the model's tensors that the file may lack.")
    may_add: tuple[str, ...] = Field((), description="Patterns of tensors in the file that the model may lack.")
    expected: ArrayName = Field(
        "", description="Array with the right answers; empty: finite ones, if inputs were sent."
    )
    tolerance: float = Field(1e-3, gt=0, description="Largest difference, relative to the largest right answer.")
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")


class Checkpoint(Check):
    """Names and shapes are the process's own word; answers are measured."""

    kind: ClassVar[str] = "checkpoint"
    title: ClassVar[str] = "Saved weights"
    probes: ClassVar[frozenset[str]] = frozenset({"checkpoint"})
    Params: ClassVar[type[Params]] = CheckpointParams

    def judge(self, observation: Observation, context: Context, params: CheckpointParams) -> Outcome:
        """Look at what is in the file, what did not fit, and what the model answers."""
        values = observation.values
        listed = [(text(r.get("name"), 200), shape(r.get("shape"))) for r in rows(values.get("tensors"))]
        found = [(name, sizes) for name, sizes in listed if sizes is not None]
        answers = _answers(values.get("outputs"))
        if not found:
            return failed("The file holds no tensors.", "Save model.state_dict() with torch.save, or safetensors.")
        told = is_clean(observation)  # a process could say something with how many there are, and with which
        measured: list[Statistic] = []
        demands = [
            *(_tensor(found, name, sizes) for name, sizes in params.tensors.items()),
            *(_shape(found, sizes) for sizes in params.shapes),
            _fits(values.get("missing"), params.may_miss, told, "The file lacks", "Save the state of the whole model."),
            _fits(
                values.get("unexpected"), params.may_add, told, "The model does not have", "Was another model saved?"
            ),
            *([] if answers is None and not params.expected else [_right(answers, context, params, measured)]),
        ]
        praise = f"{len(found)} tensors fit the model" if told else "The tensors fit the model"
        praise += ", and its answers are right." if params.expected else "."
        return outcome_of(demands, praise, share=params.partial).measured(*measured)


def _like(sizes: tuple[int, ...], wanted: Sequence[int | None] | None) -> bool:
    return wanted is None or (
        len(sizes) == len(wanted) and all(w is None or w == s for s, w in zip(sizes, wanted, strict=True))
    )


def _words(wanted: Sequence[int | None]) -> str:
    return shape_text(tuple("any" if size is None else size for size in wanted))


def _tensor(found: list[tuple[str, tuple[int, ...]]], name: str, wanted: Sequence[int | None] | None) -> Demand:
    named = [sizes for given, sizes in found if fnmatchcase(given, name)]
    if not named:
        return Demand(f"There is no tensor '{name}' in the file.", "Keep the layers' names of the handout.")
    if any(_like(sizes, wanted) for sizes in named):
        return Demand()
    return Demand(f"'{name}' must have shape {_words(wanted or ())}.", "Compare the layer's sizes with the handout.")


def _shape(found: list[tuple[str, tuple[int, ...]]], wanted: Sequence[int | None]) -> Demand:
    if any(_like(sizes, wanted) for _, sizes in found):
        return Demand()
    return Demand(f"No tensor has shape {_words(wanted)}.", "Compare the layers' sizes with the handout.")


def _fits(given: Any, allowed: tuple[str, ...], told: bool, verb: str, hint: str) -> Demand:
    """Names that did not fit, beyond those allowed. What is no list of names was not told: then nothing is known."""
    if type(given) is not list:
        return Demand("Whether the file fits the model could not be told.", "Save model.state_dict().")
    names = [text(name) or "a tensor without a name" for name in given]
    wrong = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in allowed)]
    if not wrong:
        return Demand()
    if not told:
        return Demand(f"{verb} {'one of the tensors' if len(wrong) == 1 else 'some of the tensors'}.", hint)
    return Demand(f"{verb} {', '.join(wrong[:3])}" + (f" and {len(wrong) - 3} more." if len(wrong) > 3 else "."), hint)


def _answers(given: Any) -> Array | None:
    return as_array(given[0] if type(given) is list and given else given)


def _right(answers: Array | None, context: Context, params: CheckpointParams, measured: list[Statistic]) -> Demand:
    if answers is None or not np.isfinite(answers).all():
        return Demand("With these weights the model gives no finite answers.", "Was training stopped at NaN?")
    if not params.expected:
        return Demand()
    expected = np.asarray(context.arrays[params.expected], dtype=np.float64)
    if answers.shape != expected.shape:
        return Demand(f"Answers of shape {shape_text(expected.shape)} were expected.", "Load it into the same model.")
    scale = max(float(np.abs(expected).max()), 1e-30)
    gap = float(np.abs(answers / scale - expected / scale).max())
    measured.append(Statistic("difference", gap, params.tolerance, "below", "tolerance"))
    if gap <= params.tolerance:
        return Demand()
    return Demand("With these weights the model's answers are wrong.", "Were the weights of the trained model saved?")
