"""layer_behaviour: dropout, batch norm and initialisation do what they are there for."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks import _init
from autograder.checks._demands import Demand, outcome_of
from autograder.checks._operations import ordinal
from autograder.checks._values import count_words, is_clean, number, rows, shape, text, whole
from autograder.checks.base import Array, Check, Context, Params, as_array, failed
from autograder.model import Observation, Outcome

_RECURRENT = ("LSTM", "GRU", "RNN")
_SMALL = 2000  # elements assumed at a dropout operation whose number is not known


class LayerBehaviourParams(Params):
    """What must be seen. What is left out is not looked at, but answers in eval mode must always repeat."""

    dropout: float | None = Field(None, gt=0, lt=1, description="Rate of every dropout, active in training only.")
    dropouts: int = Field(1, ge=1, description="How many dropout operations at least, where a rate is asked for.")
    batch_norms: int | None = Field(
        None, ge=0, description="How many batch norms (at least; 0: none) whose running statistics move in training."
    )
    random_in_training: bool | None = Field(None, description="Answers in train mode must vary (true) or repeat.")
    train_differs: bool | None = Field(None, description="Train mode must answer otherwise than eval mode, or alike.")
    init: dict[Literal["conv", "linear", "recurrent"], _init.Scheme] = Field(
        default_factory=dict, description="Initialisation of each kind of layer: xavier (or xavier_uniform, …), "
        "kaiming, default, none."
    )  # fmt: skip
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")


class LayerBehaviour(Check):
    """Answers are measured; rates at a layer, buffers and weights are the process's own word."""

    kind: ClassVar[str] = "layer_behaviour"
    title: ClassVar[str] = "What the layers do"
    probes: ClassVar[frozenset[str]] = frozenset({"behave"})
    own_word: ClassVar[tuple[str, ...]] = ("dropout", "batch_norms", "init")
    Params: ClassVar[type[Params]] = LayerBehaviourParams

    def judge(self, observation: Observation, _context: Context, params: LayerBehaviourParams) -> Outcome:
        """Hold each demand against answers in both modes, then against what layers report."""
        values = observation.values
        still, moving = _answers(values.get("eval")), _answers(values.get("train"))
        if still is None or moving is None or len(still) < 2 or not moving:
            return failed(
                "There are no finite answers in eval and train mode to compare.",
                "Return one tensor of finite numbers from forward in both modes.",
            )
        told = is_clean(observation)  # a process could say something with how many layers there are, and with which
        demands = [
            _repeats(still),
            *_modes(still, moving, params),
            *_dropout(rows(values.get("dropout"), 100), moving, params, told),
            *_batch_norms(values.get("buffers"), still, moving, params.batch_norms, told),
            *_initialisation(rows(values.get("weights")), params, told),
        ]
        return outcome_of(demands, "The layers do what they are there for.", told, share=params.partial)


def _answers(given: Any) -> list[Array] | None:
    """Answers of one shape without NaN, infinity or numbers of another order than float32's, or None."""
    arrays = [as_array(a) for a in given[:64]] if type(given) is list else []
    found = [a for a in arrays if a is not None and a.ndim > 0 and (np.abs(a) <= 1e38).all()]
    if not found or len(found) != len(arrays) or any(a.shape != found[0].shape for a in found):
        return None
    return found


def _close(one: Array, other: Array) -> bool:
    scale = max(float(np.abs(one).max()), float(np.abs(other).max()), 1e-30)
    return one.shape == other.shape and bool((np.abs(one / scale - other / scale) <= 1e-5).all())


def _repeats(still: list[Array]) -> Demand:
    if all(_close(still[0], again) for again in still[1:]):
        return Demand()
    return Demand(
        "In eval mode the same inputs gave different answers the second time.",
        "Something random stays active: use nn.Dropout, or F.dropout(x, p, training=self.training); draw no random "
        "numbers (hidden states, masks) in forward.",
    )


def _modes(still: list[Array], moving: list[Array], params: LayerBehaviourParams) -> list[Demand]:
    demands = []
    varies = not all(_close(moving[0], again) for again in moving[1:])
    differs = not _close(still[0], moving[0])
    if params.random_in_training is True:
        trouble = "" if varies else "In train mode every answer is the same: nothing random is active."
        demands.append(Demand(trouble, "Is the dropout layer used in forward, and does train mode switch it on?"))
    if params.random_in_training is False:
        trouble = "In train mode answers vary: something random is active." if varies else ""
        demands.append(Demand(trouble, "Take dropout and random numbers out of forward."))
    if params.train_differs is True:
        trouble = "" if differs else "Train mode answers exactly as eval mode does."
        demands.append(Demand(trouble, "Are dropout and batch norm used in forward, and do they follow model.train()?"))
    if params.train_differs is False:
        trouble = "Train mode answers otherwise than eval mode." if differs else ""
        demands.append(Demand(trouble, "Take dropout and batch norm out of the model: neither is asked for."))
    return demands


def _dropout(found: list[Any], moving: list[Array], params: LayerBehaviourParams, told: bool) -> list[Demand]:
    """Each dropout's own rate within a binomial's tolerance, none in eval mode; and answers that vary in training."""
    least, rate = params.dropouts, params.dropout
    if rate is None:
        return []
    if len(found) < least:
        words = f"{least} dropouts are asked for, {_few(len(found), least, told)} seen."
        return [Demand(words, "Use nn.Dropout in forward, after each of the layers the handout names.")]
    demands = [_one_dropout(row, ordinal(i + 1, told=told), rate) for i, row in enumerate(found)]
    if len(moving) > 1 and all(_close(moving[0], again) for again in moving[1:]):
        demands.append(Demand("Dropout changes no answer in train mode.", "Use its result: x = self.dropout(x)."))
    return demands


def _few(found: int, wanted: int, told: bool) -> str:
    return count_words(found, wanted, told=told) if found else "none"


def _one_dropout(row: Any, place: str, rate: float) -> Demand:
    zeros, scale, idle = (number(row.get(key)) for key in ("zeros", "scale", "eval_zeros"))
    count = whole(row.get("count")) or _SMALL
    tolerance = 4.5 * math.sqrt(rate * (1 - rate) / count) + 0.002
    name = f"The {place} dropout"
    if not idle <= 0.001:
        return Demand(f"{name} is active in eval mode too.", "Use nn.Dropout, or pass training=self.training.")
    if not zeros > 0.001:
        return Demand(f"{name} drops nothing in train mode.", "Is its rate 0, or is training=False passed?")
    if not abs(zeros - rate) <= tolerance:
        keep = abs(zeros - (1 - rate)) <= tolerance
        hint = "The argument of nn.Dropout is the share that is dropped, not the share that is kept." if keep else ""
        return Demand(f"{name} does not drop a share of {rate:g}.", hint or f"Use nn.Dropout({rate:g}).")
    if not abs(scale * (1 - rate) - 1) <= 0.02:
        return Demand(
            f"{name} does not scale what it keeps by 1 / (1 - {rate:g}).",
            "Without that, activations are larger in eval mode than in training: use nn.Dropout, which does it.",
        )
    return Demand()


def _batch_norms(given: Any, still: list[Array], moving: list[Array], wanted: int | None, told: bool) -> list[Demand]:
    """Running statistics come in pairs of vectors, mean and variance; both must move in training."""
    if wanted is None:
        return []
    vectors = [(as_array(row.get("before")), as_array(row.get("after"))) for row in rows(given, 1000)]
    kept = [(b, a) for b, a in vectors if b is not None and a is not None and b.ndim == 1 and b.shape == a.shape]
    moved = sum(bool(np.isfinite(a).all()) and not np.array_equal(b, a) for b, a in kept)
    if wanted == 0:
        trouble = "There are running statistics, but no batch norm is asked for." if kept else ""
        return [Demand(trouble, "Take the batch norm layers out of the model.")]
    if len(kept) < 2 * wanted:
        seen = _few(len(kept) // 2, wanted, told)
        return [
            Demand(
                f"{wanted} batch norms with running statistics are asked for, {seen} seen.",
                "Use one nn.BatchNorm layer for each place, and leave track_running_stats=True.",
            )
        ]
    if moved < 2 * wanted:
        return [Demand("Running statistics do not move in train mode.", "Is each batch norm used in forward?")]
    if _close(still[0], moving[0]):
        words = "Train mode answers exactly as eval mode does: batch norm uses the same statistics in both."
        return [Demand(words, "Don't freeze batch norm, and don't pass track_running_stats=False.")]
    return [Demand()]


def _initialisation(listed: list[Any], params: LayerBehaviourParams, told: bool) -> list[Demand]:
    """One demand for each layer of each kind that is asked for."""
    demands = []
    for kind, scheme in params.init.items():
        if scheme == "none":
            continue
        found = [(row, sizes) for row in listed if (sizes := _sizes(row)) and _kind(row, sizes) == kind]
        if not found:
            words = f"There is no {kind} layer whose weights could be looked at."
            demands.append(Demand(words, "Create the layers in __init__ as attributes of the model."))
        places = (ordinal(i + 1, told=told) for i in range(len(found)))
        demands += [_one_init(row, sizes, p, kind, scheme) for (row, sizes), p in zip(found, places, strict=True)]
    return demands


def _sizes(row: Any) -> tuple[int, ...] | None:
    sizes = shape(row.get("shape"))
    return sizes if sizes and len(sizes) >= 2 and 0 not in sizes else None


def _kind(row: Any, sizes: tuple[int, ...]) -> str:
    """conv, linear, recurrent or other; by shape where the type's name was lost."""
    layer = text(row.get("layer"))
    if layer.startswith(_RECURRENT):
        return "recurrent"
    if layer.startswith("Embedding"):
        return "other"
    return "linear" if len(sizes) == 2 else "conv"


def _one_init(row: Any, sizes: tuple[int, ...], place: str, kind: str, scheme: str) -> Demand:
    mean, std, largest = (number(row.get(key)) for key in ("mean", "std", "max"))
    if _init.fits(scheme, sizes, mean, std, largest):
        return Demand()
    name = f"The {place} {'convolution' if kind == 'conv' else kind + ' layer'}"
    likely = _init.nearest(scheme, sizes, mean, std, largest)
    if std == 0:
        looks = "all its weights are equal"
    elif not math.isfinite(std):
        looks = "its weights are no finite numbers"
    elif likely:
        looks = f"its weights look like {_init.IN_WORDS[likely]}"
    elif _init.spreads(scheme, sizes, std):
        looks = "the mean of its weights is not 0"
    else:
        looks = f"its weights spread too {'widely' if std > _init.expected_std(scheme, sizes) else 'little'}"
    words = f"{name} is not initialised as {_init.IN_WORDS[scheme]}: {looks}."
    return Demand(words, _init_hint(scheme, likely, std))


def _init_hint(scheme: str, likely: str, std: float) -> str:
    """What to try, by what the weights look like."""
    call = _init.CALLS.get(scheme, "")
    if not call:
        return "Leave the weights as PyTorch makes them."
    if std == 0:
        return f"Units of equal weights stay equal for good. Call {call} on the weight; zeros are for the bias."
    if likely == "default":
        return (
            "Its weights are as PyTorch made them: no nn.init was called on them. Go through self.modules(), not "
            "self.children(), which meets only the outermost layers, after the last layer is made, and take "
            "convolutions and linear layers."
        )
    if likely:
        return f"Call {call} on its weight, not the initialisation of another name."
    return f"Call {call} on its weight, with a gain of 1. A fixed standard deviation does not fit layers of every size."
