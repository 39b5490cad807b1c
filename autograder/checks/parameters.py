"""parameters: how many, of which shapes, which of them train and which stay as they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._values import count_words, is_clean, rows, shape_text
from autograder.checks._weights import KIND_WORDS, Weight, total, weights_of
from autograder.checks.base import Check, Context, Params, as_array, failed
from autograder.model import Observation, Outcome


class Selection(Params):
    """Some of the parameters: those for which everything said here holds."""

    name: str = Field("*", description="Pattern of names, such as `features.*`. Names are lost after hidden inputs.")
    kind: Literal["any", "conv", "linear", "bias", "vector"] = Field(
        "any", description="By shape: conv (3 or more axes), linear (2 axes), bias (follows a weight), vector."
    )
    layer: Literal["any", "conv", "linear", "vector"] = Field(
        "any", description="By layer: a convolution with its bias, a linear layer with its bias, normalisation."
    )
    shape: tuple[int | None, ...] | None = Field(None, description="Exact shape; null: any size.")
    without: tuple[tuple[int | None, ...], ...] = Field((), description="Not those of these shapes; null: any size.")
    first: int | None = Field(None, ge=1, description="Only the first so many of these.")
    last: int | None = Field(None, ge=1, description="Only the last so many of these.")

    def of(self, weights: Sequence[Weight]) -> list[Weight]:
        """The selected ones in order."""
        found = [w for w in weights if self._takes(w)]
        found = found[: self.first] if self.first else found
        return found[-self.last :] if self.last else found

    def _takes(self, weight: Weight) -> bool:
        if self.shape is not None and not _fits(weight.shape, self.shape):
            return False
        if any(_fits(weight.shape, other) for other in self.without):
            return False
        return (
            self.kind in ("any", weight.kind)
            and self.layer in ("any", weight.of)
            and (self.name == "*" or fnmatchcase(weight.name, self.name))
        )

    def __str__(self) -> str:
        words = [KIND_WORDS.get(self.kind, "parameter")]
        words += [f"of a {self.layer} layer"] if self.layer != "any" else []
        words += [f"named '{self.name}'"] if self.name != "*" else []
        words += [f"of shape {shape_text(tuple('any' if s is None else s for s in self.shape))}"] if self.shape else []
        return " ".join(words)


class ParametersParams(Params):
    """What is asked of the parameters."""

    total: int | None = Field(None, ge=0, description="How many numbers in all.")
    min_total: int | None = Field(None, ge=0, description="At least so many.")
    max_total: int | None = Field(None, ge=0, description="At most so many.")
    known_totals: dict[int, str] = Field(
        default_factory=dict, description="Wrong totals of known mistakes, with what to say about each."
    )
    trainable: int | None = Field(None, ge=0, description="How many numbers train.")
    min_trainable_share: float | None = Field(None, ge=0, le=1, description="Share of numbers that train, at least.")
    max_trainable_share: float | None = Field(None, ge=0, le=1, description="At most.")
    shapes: tuple[tuple[int | None, ...], ...] = Field((), description="Shapes that must be there; null: any size.")
    only_shapes: bool = Field(False, description="No shapes but those.")
    required_sizes: tuple[int, ...] = Field((), description="Some weight must have an axis of this size.")
    forbidden_sizes: tuple[int, ...] = Field((), description="No weight may have an axis of this size.")
    moves: tuple[Selection, ...] = Field((), description="Parameters that must train (and change in `moves`).")
    frozen: tuple[Selection, ...] = Field((), description="Parameters that must stay as they were.")
    still_tails: tuple[Selection, ...] = Field(
        (),
        description="Matrices whose rows from the `tail` of `moves` on must stay, since no input that counts has them.",
    )
    min_change: float = Field(1e-7, gt=0, description="Change, relative to the norm, from which a parameter has moved.")
    max_still: float = Field(0.0, ge=0, description="Change up to which a frozen parameter has stayed.")
    max_tail: float = Field(
        2e-3, gt=0, description="Change, relative to their norm, up to which rows have stayed: weight decay is allowed."
    )
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")


class Parameters(Check):
    """Counts and shapes are the process's own word; that training changes the answers is measured."""

    kind: ClassVar[str] = "parameters"
    title: ClassVar[str] = "Parameters"
    probes: ClassVar[frozenset[str]] = frozenset({"construct", "moves"})
    Params: ClassVar[type[Params]] = ParametersParams

    def judge(self, observation: Observation, _context: Context, params: ParametersParams) -> Outcome:
        """Hold each demand against the list of parameters."""
        listed = rows(observation.values.get("parameters"))
        weights = weights_of(listed)
        if not weights:
            return failed(
                "Your model has no parameters.",
                "Create the layers in __init__ as attributes, and call super().__init__.",
            )
        told = is_clean(observation)  # a process could say something with any number of parameters, and with which
        training = observation.probe == "moves"
        demands = [
            *_totals(weights, params, told),
            *_shapes(weights, params, told),
            *(_moved(weights, s, params, training, told) for s in params.moves),
            *(_stayed(weights, s, params, training, told) for s in params.frozen),
            *(_tail_stayed(weights, s, params, told) for s in params.still_tails),
            *(_answers_moved(observation.values.get("outputs")) if training and params.moves else []),
        ]
        counts = {"parameters": total(weights), "that train": total([w for w in weights if w.trainable])}
        evidence = {name: f"{count:,}" for name, count in counts.items()} if told else {}
        return outcome_of(demands, "The parameters are as asked for.", share=params.partial, **evidence)


def _totals(weights: list[Weight], params: ParametersParams, told: bool) -> list[Demand]:
    found, training = total(weights), total([w for w in weights if w.trainable])
    share = training / found if found else 0.0
    demands = []
    if params.total is not None:
        words = f"Expected {params.total:,} parameters, found {_number(found, params.total, told)}."
        hint = params.known_totals.get(found, "Compare the size of each layer, and its bias, with the handout.")
        demands.append(Demand() if found == params.total else Demand(words, hint))
    if params.min_total is not None or params.max_total is not None:
        low, high = params.min_total or 0, params.max_total
        trouble = ""
        if found < low:
            trouble = f"At least {low:,} parameters are asked for, found {_number(found, low, told)}."
        elif high is not None and found > high:
            trouble = f"At most {high:,} parameters are allowed, found {_number(found, high, told)}."
        demands.append(Demand(trouble, params.known_totals.get(found, "Compare the sizes of the layers.")))
    if params.trainable is not None:
        number = _number(training, params.trainable, told)
        words = f"Expected {params.trainable:,} parameters that train, found {number}."
        demands.append(Demand() if training == params.trainable else Demand(words, _FREEZE))
    low_share, high_share = params.min_trainable_share or 0.0, params.max_trainable_share
    if params.min_trainable_share is not None or high_share is not None:
        fits = low_share <= share <= (1.0 if high_share is None else high_share)
        asked = f"{low_share:.1%} to {1.0 if high_share is None else high_share:.1%}"
        part = f"{share:.0%}" if told else "Too many" if share > low_share else "Too few"
        demands.append(Demand() if fits else Demand(f"{part} of the parameters train, not {asked}.", _FREEZE))
    return demands


def _number(found: int, wanted: int, told: bool) -> str:
    return f"{found:,}" if told else count_words(found, wanted, told=False)


_FREEZE = "Set requires_grad = False on what must stay frozen, and leave it True on everything else."


def _fits(sizes: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(sizes) == len(wanted) and all(w is None or w == s for s, w in zip(sizes, wanted, strict=True))


def _shapes(weights: list[Weight], params: ParametersParams, told: bool) -> list[Demand]:
    left = Counter(w.shape for w in weights)
    missing = []
    for wanted in sorted(params.shapes, key=lambda s: sum(size is None for size in s)):
        taken = next((sizes for sizes in left if left[sizes] and _fits(sizes, wanted)), None)
        if taken is None:
            missing.append(wanted)
        else:
            left[taken] -= 1
    demands = []
    if params.shapes:
        words = ", ".join(shape_text(tuple("any" if s is None else s for s in m)) for m in missing[:4])
        demands.append(
            Demand(f"Parameters of shape {words} are missing." if missing else "", "Compare the layers' sizes.")
        )
    if params.shapes and params.only_shapes:
        more = sum(left.values())
        words = f"There are {more} parameters too many." if told else "There are parameters too many."
        demands.append(Demand(words if more else "", "Remove unused layers."))
    sizes = {size for w in weights for size in w.shape}
    for size in params.required_sizes:
        demands.append(Demand("" if size in sizes else f"No layer has size {size}.", "Compare with the handout."))
    for size in params.forbidden_sizes:
        trouble = f"A layer has size {size}, which must not be." if size in sizes else ""
        demands.append(Demand(trouble, "Compare the sizes in __init__ with the handout."))
    return demands


def _none_like(selection: Selection) -> Demand:
    return Demand(f"There is no {selection}.", "Are the layers attributes of the model, under the handout's names?")


def _moved(weights: list[Weight], selection: Selection, params: ParametersParams, training: bool, told: bool) -> Demand:
    chosen = selection.of(weights)
    if not chosen:
        return _none_like(selection)
    still = [w for w in chosen if not w.trainable or (training and not _change(w) > params.min_change)]
    if not still:
        return Demand()
    if any(not w.trainable for w in still):
        why = "they are frozen (requires_grad is False)"
    else:
        why = "training does not change them"
    return Demand(
        f"{_named(still, selection, told)} must train, but {why}.",
        "Give the optimizer all parameters that train, and use these layers in forward.",
    )


def _stayed(
    weights: list[Weight], selection: Selection, params: ParametersParams, training: bool, told: bool
) -> Demand:
    chosen = selection.of(weights)
    if not chosen:
        return _none_like(selection)
    if training:
        loose = [w for w in chosen if not w.change <= params.max_still]
        words = f"{_named(loose, selection, told)} must stay frozen, but training changes them."
        return Demand(words if loose else "", _FREEZE)
    loose = [w for w in chosen if w.trainable]
    words = f"{_named(loose, selection, told)} must be frozen, but requires_grad is True."
    return Demand(words if loose else "", _FREEZE)


def _tail_stayed(weights: list[Weight], selection: Selection, params: ParametersParams, told: bool) -> Demand:
    chosen = selection.of(weights)
    if not chosen:
        return _none_like(selection)
    loose = [w for w in chosen if not w.tail_change <= params.max_tail * w.tail_norm]
    words = f"{_named(loose, selection, told)}: training changes rows that nothing but padding has to do with."
    return Demand(words if loose else "", "Give the model the mask in training, too.")


def _change(weight: Weight) -> float:
    """Change relative to the norm before; as it is where the norm is zero or unknown."""
    return weight.change / weight.norm if weight.norm > 0 else weight.change


def _named(weights: list[Weight], selection: Selection, told: bool) -> str:
    """The parameters that are meant; where they may not be told, only among which they are."""
    if not told:
        return f"One or more of what was asked for ({selection})"
    shown = ", ".join(w.name or KIND_WORDS[w.kind] for w in weights[:3])
    return shown if len(weights) <= 3 else f"{shown} and {len(weights) - 3} more"


def _answers_moved(outputs: Any) -> list[Demand]:
    """Parameters that are said to train must change what the model answers: the part that can't be made up."""
    pair = [as_array(outputs[at]) for at in (0, -1)] if type(outputs) is list and len(outputs) > 1 else [None, None]
    if pair[0] is None or pair[-1] is None or pair[0].shape != pair[-1].shape:
        return [Demand("The model's answers before and after training could not be compared.", "Return one tensor.")]
    if not (np.isfinite(pair[0]).all() and np.isfinite(pair[-1]).all()) or np.array_equal(pair[0], pair[-1]):
        return [Demand("Training does not change the model's answers.", "Are the trained layers used in forward?")]
    return [Demand()]
