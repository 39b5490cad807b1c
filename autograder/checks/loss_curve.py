"""loss_curve: the judge's own loss after every epoch falls as it should; what it looks like otherwise, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._diagnosis import Diagnosis, Shape, diagnose
from autograder.checks._history import disagreement
from autograder.checks._values import is_clean, number
from autograder.checks.base import Array, ArrayName, Check, Context, LabelName, Params, as_array, failed, passed
from autograder.checks.measures import (
    cross_entropy,
    epoch_outputs,
    labels_of,
    last_outputs,
    looks_like_probabilities,
)
from autograder.model import Observation, Outcome, Statistic


class LossCurveParams(Params):
    """Which losses, and how far they must fall."""

    label: LabelName = Field("val", description="Which evaluated inputs decide.")
    targets: ArrayName = Field(description="The judge's labels of those.")
    train_label: LabelName = Field(
        "",
        description="Evaluated training inputs, drawn beside the curve and looked at for its shape; empty: none. Of "
        "the held-out curves of `bin/bench diagnosis` 97.9 % are named rightly with both, 92.9 % by `label` alone.",
    )
    train_targets: ArrayName = Field("", description="Labels of those.")
    min_drop: float = Field(0.2, gt=0, lt=1, description="The lowest loss must be this share below the start.")
    accept: tuple[Shape, ...] = Field(
        (
            Shape.HEALTHY,
            Shape.OVERFITTING,
            Shape.NOT_CONVERGED,
            Shape.SLOW_START,
            Shape.OSCILLATING,
            Shape.PLATEAU,
        ),
        description="Shapes that pass, if the loss falls far enough; default: every one in which the model learns.",
    )
    max_leftover: float = Field(
        10.0,
        gt=1,
        description="Gradients left after training, as a multiple of one batch's before or after, whichever is larger: "
        "above, zero_grad is missing. Ten times as much is allowed where the loss falls as asked.",
    )


_STEEP = 1.0  # guessing losses an epoch; less is a number of three digits
_LEARNING_WELL = 10.0  # a right training may end on one odd batch; piles that do harm stop the loss from falling
_SOFTMAX_HINT = (
    "The model returns probabilities. If train uses CrossEntropyLoss, softmax is applied twice and the gradients are "
    "wrong: return logits from forward."
)

_GRADERS_HINT = (
    "The grader trained it as it trains every model here, so look at the model itself: at its first weights, at what "
    "stands between the layers, and in batch normalisation at the momentum of the running averages."
)


class LossCurve(Check):
    """Cross entropy computed by the judge from outputs on its own inputs before training and after every epoch.

    The gradient left over is the process's own word, which can only cost points.
    """

    kind: ClassVar[str] = "loss_curve"
    title: ClassVar[str] = "Loss curve"
    probes: ClassVar[frozenset[str]] = frozenset({"train"})
    wants_leftover: ClassVar[bool] = True
    Params: ClassVar[type[Params]] = LossCurveParams

    def judge(self, observation: Observation, context: Context, params: LossCurveParams) -> Outcome:
        """Name what is wrong with the curve, or pass it."""
        curve = _curve(observation, context, params.label, params.targets)
        if len(curve) < 2:
            return failed(
                "No loss could be measured: the model was never seen after training.",
                "train must go through the training set it is given, for as many epochs as it is told.",
            )
        training = _curve(observation, context, params.train_label, params.train_targets) if params.train_label else []
        labels = labels_of(context.arrays, params.targets)
        found = diagnose(training, curve, _guessing(labels) or None)
        evidence = {**_shown(found, observation), "plots": [_plot(training, curve)]}
        loud = _loud_start(curve, params, labels)
        learned = loud is None and _drop(curve) >= params.min_drop
        leftover, allowed = _leftover(observation), _LEARNING_WELL if learned else 1.0
        trouble = _trouble(curve, params, leftover, allowed) or loud or _shape(found, params)
        remark = _remark(observation, params, training, curve, labels)
        measured = (
            Statistic.share("drop", _drop(curve), params.min_drop, "above", "min_drop"),
            Statistic("leftover", leftover / allowed, params.max_leftover, "below", "max_leftover"),
        )
        if trouble is None:
            return passed(_joined(_praise(curve, found), remark), **evidence).measured(*measured)
        message, hint = trouble
        hint = _GRADERS_HINT if _by_grader(observation) else _joined(hint, _more(found))
        hint = _SOFTMAX_HINT if _ends_in_softmax(observation, params.label) else hint
        return failed(_joined(message, remark), hint, **evidence).measured(*measured)


def _plot(training: list[float], curve: list[float]) -> dict[str, Any]:
    series = {"training": _drawable(training)} if training else {}
    return {
        "kind": "loss_curve",
        "title": "Loss measured by the grader",
        "series": {**series, "validation": _drawable(curve)},
        "x": list(range(len(curve))),
        "x_label": "epoch",
        "y_label": "cross entropy",
    }


def _shown(found: Diagnosis | None, observation: Observation) -> dict[str, str]:
    """The diagnosis as lines of evidence. Only a clean process is told a slope of any size: it could spell inputs."""
    if found is None:
        return {}
    lines = {"shape": found.words}
    if found.turning is not None and found.shape is not Shape.HEALTHY:
        lines["turning point"] = f"epoch {found.turning}"
    slope = 0.0 - found.evidence.get("slope_at_end", 0.0)
    if found.shape is not Shape.NOT_FINITE and (is_clean(observation) or abs(slope) < _STEEP):
        lines["slope at the end"] = f"{slope:+.1%} of the guessing loss an epoch"
    can_try = not _by_grader(observation) or found.shape is Shape.SLOW_START
    return {**lines, "to try": found.advice} if found.advice and can_try else lines


def _by_grader(observation: Observation) -> bool:
    """Was it the grader who trained, so that nobody can change how?"""
    return observation.values.get("by_grader") is True


_OWN_WORDS = {Shape.NOT_CONVERGED, Shape.SLOW_START, Shape.OSCILLATING, Shape.PLATEAU}  # no other hint speaks of these


def _more(found: Diagnosis | None) -> str:
    """What the shape adds to a hint."""
    return f"The curve looks like this: {found.words}. {found.advice}" if found and found.shape in _OWN_WORDS else ""


def _shape(found: Diagnosis | None, params: LossCurveParams) -> tuple[str, str] | None:
    """The curve falls, but its shape is not one that the spec accepts."""
    if found is None or found.shape in params.accept:
        return None
    wanted = ", ".join(shape.value.replace("_", " ") for shape in params.accept)
    advice = "" if found.shape in _OWN_WORDS else found.advice
    return f"The shape of the curve is {found.words}. Asked for: {wanted}.", advice


def _remark(
    observation: Observation, params: LossCurveParams, training: list[float], curve: list[float], labels: Array
) -> str:
    """Where the student's own history disagrees with what was measured; costs nothing."""
    result = observation.values.get("result")
    history = result.get("history") if isinstance(result, Mapping) else None
    measured = {"validation": curve[-1], **({"training": training[-1]} if training else {})}
    outputs = as_array(last_outputs(observation, params.label))
    doubled = math.nan
    if outputs is not None and outputs.ndim == 2 and looks_like_probabilities(outputs):
        logs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
        doubled = cross_entropy(logs, labels)
    return disagreement(history, measured, doubled, _guessing(labels) or 1.0)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _drop(curve: list[float]) -> float:
    """How far the lowest loss lies below the start, as a share of it; NaN where a loss is no finite number."""
    if not all(math.isfinite(v) for v in curve):
        return math.nan
    return (curve[0] - min(curve[1:])) / curve[0] if curve[0] > 0 else 0.0


def _ends_in_softmax(observation: Observation, label: str) -> bool:
    """True if the trained model's answers are probabilities: then its own loss was probably not what it seemed."""
    outputs = as_array(last_outputs(observation, label))
    return outputs is not None and looks_like_probabilities(outputs)


def _curve(observation: Observation, context: Context, label: str, targets: str) -> list[float]:
    labels = labels_of(context.arrays, targets)
    return [cross_entropy(outputs, labels) for outputs in epoch_outputs(observation, label)]


def _praise(curve: list[float], found: Diagnosis | None) -> str:
    """What a good curve did; a rise after its lowest point is named, but costs nothing: small sets overfit soon."""
    low = min(curve)
    said = f"The loss falls from {_short(curve[0])} to {_short(low)}"
    if curve[-1] > 1.1 * low:
        at = curve.index(low)
        why = ": from there on the model overfits" if found and found.shape is Shape.OVERFITTING else ""
        return f"{said} after epoch {at}, then rises to {_short(curve[-1])}{why}."
    return f"{said}." if curve[-1] == low else f"{said} and ends at {_short(curve[-1])}."


def _drawable(curve: list[float]) -> list[float | None]:
    # Clamped: a model can make a loss of 300 digits, and say something of hidden inputs with them.
    return [float(f"{min(max(v, 0.001), 1000.0):.3g}") if math.isfinite(v) else None for v in curve]


def _short(value: float) -> str:
    """A number as somebody reads it; of very large ones their size is not told, which could mean something."""
    return f"{value:.2f}" if abs(value) < 1000 else "1000 or more"


def _leftover(observation: Observation) -> float:
    """Gradient norm left after training as a multiple of one batch's; 0 if unknown or not comparable.

    One batch's is the larger of those before and after training: where nearly everything is learned, the last batch
    may have been an odd one, whose gradient is thirty times that of most, but hardly larger than in the beginning.
    """
    result = observation.values.get("result")
    norms = result.get("leftover_gradient") if isinstance(result, Mapping) else None
    if not isinstance(norms, Mapping):
        return 0.0
    left = number(norms.get("left"))
    one = max((v for v in map(number, (norms.get("before"), norms.get("one_batch"))) if v > 1e-6), default=0.0)
    return left / one if math.isfinite(left) and one else 0.0


def _guessing(labels: Array) -> float:
    """The loss of always answering with the shares of the classes: their entropy in nats."""
    _, counts = np.unique(labels, return_counts=True)
    shares = counts / max(len(labels), 1)
    return float(-(shares * np.log(shares)).sum())


def _loud_start(curve: list[float], params: LossCurveParams, labels: Array) -> tuple[str, str] | None:
    """A fall that ends near what guessing gives was no learning: the model only started out far worse than guessing.

    Half of the asked drop below guessing has to be reached.
    """
    guessing, lowest = _guessing(labels), min(curve)
    if guessing == 0 or lowest <= guessing * (1 - params.min_drop / 2):
        return None
    return (
        f"Not learning: the loss falls from {_short(curve[0])} to {_short(lowest)}, but guessing alone gives "
        f"{_short(guessing)}.",
        "The first outputs are very large, so the loss falls by making them smaller. Initialise the weights as PyTorch "
        "does, scale the inputs, and look whether the loss still falls after that. If it does not: is zero_grad() "
        "called before every backward()?",
    )


def _trouble(curve: list[float], params: LossCurveParams, leftover: float, allowed: float) -> tuple[str, str] | None:
    """What is wrong and what to try, or None. The shapes follow the workshop's list of loss curves.

    allowed: how many times max_leftover may be left.
    """
    first, last = curve[0], curve[-1]
    if not all(math.isfinite(v) for v in curve):
        return (
            "The loss becomes NaN or infinite.",
            "Lower the learning rate; look for a logarithm of zero; is zero_grad called before every backward?",
        )
    if leftover > allowed * params.max_leftover:
        times = f"{leftover:.0f} times" if leftover < 100 else "more than a hundred times"
        return (
            f"Gradients pile up: after training they are {times} as big as one batch's.",
            "Call optimizer.zero_grad() before every loss.backward(); PyTorch adds gradients up until you clear them.",
        )
    lowest = min(curve[1:])
    drop = _drop(curve)
    if drop >= params.min_drop:
        return None
    if last > first * 1.1:
        return (
            f"The loss rises from {_short(first)} to {_short(last)}.",
            "Is the gradient applied with the wrong sign (a minus before the loss, or += instead of -=)? Is the "
            "training set shuffled? Is the learning rate much too high?",
        )
    if abs(drop) < 0.02:
        return (
            f"Not learning: the loss stays at {_short(last)}.",
            "Do the gradients reach the weights? Check zero_grad(), backward(), step(), that the optimizer was given "
            "this model's parameters, that the training set is shuffled, and that the output is logits (no softmax "
            "before CrossEntropyLoss).",
        )
    return (
        f"The loss falls too little: from {_short(first)} to {_short(lowest)}, by {max(drop, 0):.0%} of its start; "
        f"{params.min_drop:.0%} is asked for.",
        "Is zero_grad called before every backward? Is the data shuffled? Does forward return logits without softmax?",
    )
