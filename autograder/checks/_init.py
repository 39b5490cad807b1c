"""Which initialisation a weight's spread fits.

Variances: Glorot & Bengio 2010, eq. 12 and 16: 2 / (fan_in + fan_out); He et al. 2015, eq. 10: 2 / fan_in; PyTorch's
default for linear layers and convolutions, uniform on ±1/√fan_in: 1 / (3 fan_in).
"""

from __future__ import annotations

import math
from typing import Literal

Scheme = Literal["xavier", "xavier_uniform", "xavier_normal", "kaiming", "default", "none"]
IN_WORDS = {
    "xavier": "Xavier (Glorot)",
    "xavier_uniform": "Xavier (Glorot), uniform",
    "xavier_normal": "Xavier (Glorot), normal",
    "kaiming": "Kaiming (He)",
    "default": "PyTorch's default",
}
CALLS = {
    "xavier": "nn.init.xavier_uniform_ (or xavier_normal_)",
    "xavier_uniform": "nn.init.xavier_uniform_",
    "xavier_normal": "nn.init.xavier_normal_",
    "kaiming": "nn.init.kaiming_normal_ (or kaiming_uniform_) with nonlinearity='relu'",
}
_DEVIATIONS = 5.0  # of the sample's own spread: a right layer fails in less than one of a million draws
_SLACK = 0.01  # beside it, relative


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, kernel…)."""
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def expected_std(scheme: str, shape: tuple[int, ...]) -> float:
    """Standard deviation that a scheme gives a weight of two or more axes with no size 0."""
    into, out = fans(shape)
    if scheme.startswith("xavier"):
        return math.sqrt(2 / (into + out))
    return math.sqrt(2 / into) if scheme == "kaiming" else math.sqrt(1 / (3 * into))


def fits(scheme: str, shape: tuple[int, ...], mean: float, std: float, largest: float) -> bool:
    """True if mean, standard deviation and largest absolute value (NaN: unknown) can come from the scheme.

    The sample's standard deviation over n draws strays by 1/√(2n) of itself if normal, less if uniform; its mean by
    std/√n. A uniform sample stays within √3 std.
    """
    count, wanted = math.prod(shape), expected_std(scheme, shape)
    if not (spreads(scheme, shape, std) and abs(mean) <= wanted * (_DEVIATIONS / math.sqrt(count) + _SLACK)):
        return False
    bound = math.sqrt(3) * wanted * 1.0001
    if scheme == "xavier_uniform" and largest > bound:
        return False
    # Of 200 normal draws the largest lies beyond √3 deviations with probability 1 - 4e-8.
    return not (scheme == "xavier_normal" and count >= 200 and largest <= bound)


def spreads(scheme: str, shape: tuple[int, ...], std: float) -> bool:
    """True if the standard deviation alone can come from the scheme."""
    return abs(std / expected_std(scheme, shape) - 1) <= _DEVIATIONS / math.sqrt(2 * math.prod(shape)) + _SLACK


def nearest(asked: str, shape: tuple[int, ...], mean: float, std: float, largest: float) -> str:
    """The scheme that fits beside the one that was asked for, or an empty string."""
    kinds = () if asked == "xavier" else ("xavier_uniform", "xavier_normal")
    names = [name for name in ("default", *kinds, "kaiming") if name != asked]
    return next((name for name in names if fits(name, shape, mean, std, largest)), "")
