"""Names the shape of a loss curve, with the evidence and one sentence on what to try. Pure arithmetic.

Works on one value an epoch or a step (index 0: before training), on a training curve, a validation curve or both. The
limits below were tuned on half of the recorded trainings of `bin/bench diagnosis` and checked on the other half. From
losses after every epoch nearly all shapes are named rightly, from noisy losses of single batches seven of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from autograder.checks.base import Array

LONGEST = 62  # a longer curve has one value a step
MOST_POINTS = 20  # and is averaged down to this: a batch's loss is noisy


class Shape(StrEnum):
    """What a loss curve looks like."""

    HEALTHY = "healthy"
    NOT_LEARNING = "not_learning"
    OVERFITTING = "overfitting"
    NOT_CONVERGED = "not_converged"
    SLOW_START = "slow_start"
    DIVERGING = "diverging"
    NOT_FINITE = "not_finite"
    OSCILLATING = "oscillating"
    PLATEAU = "plateau"


WORDS = {
    Shape.HEALTHY: "healthy: it falls and levels off",
    Shape.NOT_LEARNING: "not learning: it stays where it began",
    Shape.OVERFITTING: "overfitting: training goes on falling while validation turns up",
    Shape.NOT_CONVERGED: "not converged yet: still falling at the end",
    Shape.SLOW_START: "slow start: flat at first, then it falls",
    Shape.DIVERGING: "diverging: it rises",
    Shape.NOT_FINITE: "NaN or infinite",
    Shape.OSCILLATING: "oscillating: it jumps up and down",
    Shape.PLATEAU: "plateau: it falls, then stops all at once",
}
TRY = {
    Shape.HEALTHY: "",
    Shape.NOT_LEARNING: "Look whether gradients reach the weights: zero_grad(), backward(), step(), the optimizer over "
    "this model's parameters, no detach(), and a learning rate that is not far too small.",
    Shape.OVERFITTING: "Stop at the turning point, or use more data, augmentation, dropout or weight decay.",
    Shape.NOT_CONVERGED: "Train for more epochs, or try a learning rate three to ten times as high.",
    Shape.SLOW_START: "The first weights or gradients are too small: initialise with Xavier or Kaiming, use ReLU or "
    "batch normalisation instead of stacked sigmoids, and scale the inputs.",
    Shape.DIVERGING: "Is the gradient applied with the wrong sign (a minus before the loss, or += instead of -=)? If "
    "not, divide the learning rate by ten.",
    Shape.NOT_FINITE: "Lower the learning rate, clip the gradients, and look for a logarithm or division of zero.",
    Shape.OSCILLATING: "The learning rate is too high: divide it by three to ten, or use larger batches.",
    Shape.PLATEAU: "Look at the learning-rate schedule: does it go to (nearly) zero too early? Is something frozen?",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The shape of a curve. evidence: name → number (slopes are per epoch or step, as shares of `guessing`)."""

    shape: Shape
    extreme: bool = False  # overfitting: validation ends worse than it began, or than guessing
    turning: int | None = (
        None  # index of the lowest validation loss, of the first bad value, or where the shape changes
    )
    evidence: dict[str, float] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The shape as a student reads it."""
        extreme = " and ends worse than it began" if self.extreme else ""
        return WORDS[self.shape] + extreme

    @property
    def advice(self) -> str:
        """One sentence on what to try; empty if nothing is wrong."""
        return TRY[self.shape]


def diagnose(
    training: Sequence[float | None] = (), validation: Sequence[float | None] = (), guessing: float | None = None
) -> Diagnosis | None:
    """The shape of the curves; None if neither has two values.

    training, validation: losses, index 0 before training (or the first step); None, NaN and infinity count as not
    finite; either may be empty. guessing: the loss of answering without looking (ln C for C balanced classes); without
    it the start stands for it.
    """
    curves = [np.array([math.nan if v is None else v for v in c], np.float64) for c in (training, validation)]
    given = [curve for curve in curves if len(curve) > 1]
    if not given:
        return None
    broken = [int(np.flatnonzero(~np.isfinite(c))[0]) for c in given if not np.isfinite(c).all()]
    if broken:
        return Diagnosis(Shape.NOT_FINITE, turning=min(broken), evidence={"first": float(min(broken))})
    noise = max(_noise(c) for c in given)
    train, held_out = (_coarse(c) if len(c) > 1 else None for c in curves)
    return _Facts(train, held_out, guessing, noise).diagnosis(len(given[-1]))


def _coarse(curve: Array) -> Array:
    """The curve, or the means of MOST_POINTS stretches of a long one."""
    return curve if len(curve) <= LONGEST else np.array([p.mean() for p in np.array_split(curve, MOST_POINTS)])


def _noise(curve: Array) -> float:
    """Standard error of those means, from differences of neighbours; 0 for a curve that is not averaged."""
    if len(curve) <= LONGEST:
        return 0.0
    spread = float(np.median(np.abs(np.diff(curve)))) / 0.6745 / math.sqrt(2)
    return spread / math.sqrt(len(curve) / MOST_POINTS)


class _Facts:
    """Curves at one scale, and the questions asked of them. `main`: training if given, else validation."""

    def __init__(self, train: Array | None, held_out: Array | None, guessing: float | None, noise: float) -> None:
        main = train if train is not None else held_out
        if main is None:
            raise ValueError("no curve")
        self.train, self.held_out, self.main = train, held_out, main
        self.start, self.end, self.low = float(main[0]), float(main[-1]), float(main.min())
        self.guess = guessing if guessing is not None and guessing > 0 else max(abs(self.start), 1e-12)
        self.noise = noise

    def diagnosis(self, points: int) -> Diagnosis:
        """The first shape that fits, gravest first."""
        evidence = {
            "start": self.start,
            "end": self.end,
            "lowest": self.low,
            "slope_at_end": self.late_fall(self.main),
            "roughness": self.roughness(),
        }
        turn = int(self.held_out.argmin()) if self.held_out is not None else None
        late = self.flat_start()
        stop = self.sudden_stop()
        if self.shaken():
            return Diagnosis(Shape.OSCILLATING, evidence=evidence)
        if self.overfits():
            return Diagnosis(Shape.OVERFITTING, self.extreme(), self.at(turn, points), evidence)
        if self.rises():
            return Diagnosis(Shape.DIVERGING, evidence=evidence)
        if self.stays():
            return Diagnosis(Shape.NOT_LEARNING, evidence=evidence)
        if stop is not None:
            return Diagnosis(Shape.PLATEAU, turning=self.at(stop, points), evidence=evidence)
        if late is not None:
            return Diagnosis(Shape.SLOW_START, turning=self.at(late, points), evidence=evidence)
        if self.still_falling():
            return Diagnosis(Shape.NOT_CONVERGED, evidence=evidence)
        return Diagnosis(Shape.HEALTHY, turning=self.at(turn, points), evidence=evidence)

    def at(self, index: int | None, points: int) -> int | None:
        """An index of the averaged curve as one of the curve that was given."""
        return None if index is None else index if points <= LONGEST else index * points // MOST_POINTS

    def roughness(self) -> float:
        """Mean rise from point to point in the second half, in guessing losses; a steady fall has none.

        Of a curve that only rises there is none either: rises count as far as falls balance them.
        """
        steps = np.diff(self.main[len(self.main) // 2 :]) / self.guess
        if len(steps) < 3:
            return 0.0
        seen = float(min(steps.clip(0).sum(), -steps.clip(None, 0).sum()) / len(steps))
        return max(seen - 1.5 * self.noise / self.guess, 0.0)

    def shaken(self) -> bool:
        """Jumps that matter beside the level they jump around."""
        level = max(float(np.median(self.main[len(self.main) // 2 :])), 0.02 * self.guess)
        limit = 0.010 if self.train is not None else 0.025
        return self.turns() > 1 and self.roughness() > limit and self.roughness() * self.guess > 0.015 * level

    def turns(self) -> int:
        """How often the second half changes its direction; a single rise at the end is no oscillation yet."""
        steps = np.diff(self.main[len(self.main) // 2 :])
        return int((np.diff(np.sign(steps[np.abs(steps) > 0.005 * self.guess])) != 0).sum())

    def overfits(self) -> bool:
        """Validation ends a tenth above its lowest point while training (where it is known) went on falling."""
        if self.held_out is None:
            return False
        low, end, at = float(self.held_out.min()), float(self.held_out[-2:].min()), int(self.held_out.argmin())
        if not (end > 1.1 * low and end - low > 0.01 * self.guess):
            return False
        if self.train is not None:
            return bool(self.train[-1] < self.train[min(at, len(self.train) - 1)] and self.train[-1] < 0.9 * self.start)
        return low < 0.9 * float(self.held_out[0])

    def extreme(self) -> bool:
        """Validation ends above its start or above guessing."""
        return self.held_out is not None and bool(self.held_out[-1] > min(float(self.held_out[0]), self.guess))

    def rises(self) -> bool:
        """Ends a twentieth above its start, or rises without ever falling, or does not come back from a peak."""
        steadily = len(self.main) > 4 and bool((np.diff(self.main) >= 0).all())
        if self.noise:
            rise = float(self.main[-5:].mean() - self.main[:5].mean())
            steadily = rise > 2.5 * self.noise and self.low > 0.97 * self.start
        if self.end > 1.05 * self.start or (steadily and self.end - self.start > 0.001 * self.guess):
            return True
        return float(self.main.max()) > 1.5 * self.start and self.end > 0.95 * self.guess

    def stays(self) -> bool:
        """Less than 3 % below the start at any time, or never better than guessing after a louder start."""
        return self.low + self.noise > 0.97 * self.start or (
            self.start > 1.1 * self.guess and self.low > 0.97 * self.guess
        )

    def flat_start(self) -> int | None:
        """How many points it stays within 4 % of guessing, if that is long and a real fall follows."""
        near = np.abs(self.main[1:] - self.guess) < 0.04 * self.guess
        flat = int(np.argmin(near)) if not near.all() else len(near)
        if not (max(2, 0.12 * len(self.main)) <= flat < len(near) and self.low < 0.88 * self.guess):
            return None
        falls = -np.diff(self.main)
        creeps, fastest = abs(float(self.main[1] - self.main[flat])) / max(flat - 1, 1), float(falls[flat:].max())
        at_end = float(falls[-2:].mean())
        if self.noise:
            fastest, at_end = float((falls[2:] + falls[1:-1] + falls[:-2]).max() / 3), float(falls[-3:].mean())
        if at_end > 0.8 * fastest and self.start - self.low < 0.3 * self.guess:
            return None  # it has only begun to fall
        return flat if creeps < 0.1 * fastest or at_end < 0.6 * fastest else None

    def sudden_stop(self) -> int | None:
        """The point after which it hardly moves although it fell fast up to there and is not near zero."""
        falls, total = -np.diff(self.main), self.start - self.low
        for at in range(2, len(self.main) - max(3, len(self.main) // 4)):
            fast, rest = float(falls[at - 1]), np.abs(falls[at:])
            if self.noise:  # too coarse to see an exact stop, but a stop it must be, and not a level it jumps around
                still = fast > 6 * self.noise and float(rest.max()) < 4 * self.noise and falls[at] < 0.2 * fast
            else:
                still = fast > 8 * float(rest.max())
            if still and fast > 0.06 * total and abs(self.main[at] - self.end) < 0.1 * total + 2 * self.noise:
                return at if self.main[at] > 0.12 * self.guess else None
        return None

    def late_fall(self, curve: Array) -> float:
        """Fall a point over the last quarter, in guessing losses."""
        points = max(1, (len(curve) - 1) // 4)
        return float((curve[-1 - points] - curve[-1]) / points / self.guess)

    def still_falling(self) -> bool:
        """The last quarter brought a good share of the whole fall."""
        curve = self.held_out if self.held_out is not None else self.main
        points, total = max(1, (len(curve) - 1) // 4), float(curve[0] - curve.min())
        return total > 0 and self.late_fall(self.main) > 0.002 and float(curve[-1 - points] - curve[-1]) > 0.08 * total
