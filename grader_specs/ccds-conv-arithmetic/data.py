"""Cases of ccds-conv-arithmetic: worked examples and random calls, with answers found by counting, not by the formula.

Each function has three lists, ordered by the size of their numbers: `…_examples` and `…_illegal` (calls that must
raise, and some legal ones, so that it helps nobody to refuse everything) are public, the third is hidden. Illegal
calls have a list of their own, so that one that hangs costs no legal one. Groups of `conv`: `even` (square input, the
stride comes out even), `rest` (it leaves a rest) and `oblong` (width and height differ).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from autograder.specs.dataset import Case, DataSet

PER_GROUP = 25
ILLEGAL = 12

CONV_EXAMPLES = (  # w, h, d, k, f, s, p
    (1, 1, 1, 1, 1, 1, 0),
    (2, 2, 1, 1, 3, 1, 1),
    (4, 4, 1, 1, 2, 2, 0),
    (5, 5, 1, 1, 2, 2, 0),
    (6, 6, 3, 2, 3, 2, 1),
    (7, 7, 3, 2, 3, 2, 1),
    (5, 9, 2, 4, 3, 1, 0),
    (32, 32, 3, 6, 5, 1, 0),
    (64, 48, 3, 16, 7, 3, 2),
    (224, 224, 3, 64, 3, 1, 1),
)
PARAM_EXAMPLES = ((1, 1, 1), (2, 1, 1), (1, 3, 1), (1, 1, 2), (3, 6, 5), (64, 64, 3))  # d, k, f
POOL_EXAMPLES = (  # w, h, d, f, s
    (2, 2, 1, 2, 2),
    (5, 5, 1, 2, 2),
    (6, 4, 3, 3, 1),
    (7, 7, 3, 3, 2),
    (32, 32, 64, 2, 2),
    (55, 40, 96, 3, 2),
)
ILLEGAL_CONVS = ((3, 3, 1, 1, 5, 1, 0), (6, 6, 1, 1, 3, 0, 0), (6, 6, 1, 1, 3, 1, -1), (4, 2, 1, 1, 3, 1, 0))
ILLEGAL_PARAMS = ((0, 1, 1), (1, 1, -3))
ILLEGAL_POOLS = ((2, 2, 1, 3, 1), (4, 2, 1, 3, 1), (4, 4, 0, 2, 2))


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """The one data set, `standin`. The same arguments give the same cases."""
    if name != "standin":
        return None
    rng = np.random.default_rng([seed, 7])
    lists = {
        "conv_examples": map(_conv_case, CONV_EXAMPLES),
        "param_examples": map(_param_case, PARAM_EXAMPLES),
        "pool_examples": map(_pool_case, POOL_EXAMPLES),
        "conv": _conv_cases(rng),
        "param": [_param_case(_draw_param(rng)) for _ in range(PER_GROUP)],
        "pool": _pool_cases(rng),
        "conv_illegal": [*map(_illegal, [*ILLEGAL_CONVS, *_illegal_convs(rng)]), *map(_conv_case, CONV_EXAMPLES[:3])],
        "param_illegal": [
            *map(_illegal, [*ILLEGAL_PARAMS, *_illegal_params(rng)]),
            *map(_param_case, PARAM_EXAMPLES[:3]),
        ],
        "pool_illegal": [*map(_illegal, [*ILLEGAL_POOLS, *_illegal_pools(rng)]), *map(_pool_case, POOL_EXAMPLES[:3])],
    }
    cases = {key: tuple(sorted(found, key=lambda case: case.size)) for key, found in lists.items()}
    return DataSet(name=name, cases=cases, hidden=frozenset({"conv", "param", "pool"}))


# --- right answers, by counting ---------------------------------------------------------------------------------------


def places(side: int, window: int, stride: int, padding: int = 0) -> int:
    """How many places a window has on a padded side: tried one after the other until it sticks out."""
    left, count = -padding, 0
    while left + window <= side + padding:
        count, left = count + 1, left + stride
    return count


def parameters(depth: int, filters: int, window: int) -> int:
    """How many numbers a convolution learns: those of the arrays that hold them."""
    return int(np.zeros((filters, depth, window, window), dtype=np.uint8).size + np.zeros(filters, dtype=np.uint8).size)


def _conv_case(call: Iterable[int], group: str = "") -> Case:
    w, h, d, k, f, s, p = call
    expected = (places(w, f, s, p), places(h, f, s, p), k)
    return _case((w, h, d, k, f, s, p), expected, group)


def _param_case(call: Iterable[int]) -> Case:
    d, k, f = call
    return _case((d, k, f), parameters(d, k, f))


def _pool_case(call: Iterable[int]) -> Case:
    w, h, d, f, s = call
    return _case((w, h, d, f, s), (places(w, f, s), places(h, f, s), d))


def _case(arguments: tuple[int, ...], expected: object, group: str = "") -> Case:
    return Case(arguments=arguments, expected=expected, size=float(sum(arguments)), group=group)


def _illegal(call: tuple[int, ...]) -> Case:
    return Case(arguments=call, raises=("ValueError",), size=float(sum(map(abs, call))))


# --- random calls -----------------------------------------------------------------------------------------------------


def _draw_conv(rng: np.random.Generator) -> tuple[int, ...]:
    """A legal call with all seven numbers drawn alone; the filter fits both sides, some only thanks to the padding."""
    w, h = (int(side) for side in rng.integers(1, 65 if rng.random() < 0.6 else 7, size=2))
    p = int(rng.integers(0, 4))
    f = int(rng.integers(1, min(w, h, 9) + 2 * p + 1))
    d, k = (int(number) for number in rng.integers(1, 33, size=2))
    return w, h, d, k, f, int(rng.integers(1, 6)), p


def _draw_param(rng: np.random.Generator) -> tuple[int, ...]:
    return int(rng.integers(2, 65)), int(rng.integers(2, 65)), int(rng.integers(2, 10))


def _conv_cases(rng: np.random.Generator) -> list[Case]:
    """PER_GROUP calls of each group; where the stride leaves a rest, it is made more than once."""
    found: dict[str, list[Case]] = {"even": [], "rest": [], "oblong": []}
    while any(len(cases) < PER_GROUP for cases in found.values()):
        w, h, d, k, f, s, p = _draw_conv(rng)
        if len(found["oblong"]) < PER_GROUP and w != h:
            found["oblong"].append(_conv_case((w, h, d, k, f, s, p), "oblong"))
            continue
        group = "rest" if (w - f + 2 * p) % s else "even"
        if len(found[group]) < PER_GROUP and (group == "even" or w - f + 2 * p > s):
            found[group].append(_conv_case((w, w, d, k, f, s, p), group))
    return [case for cases in found.values() for case in cases]


def _pool_cases(rng: np.random.Generator) -> list[Case]:
    found = []
    for _ in range(2 * PER_GROUP):
        w, h, d, _k, f, s, p = _draw_conv(rng)
        found.append(_pool_case((w + 2 * p, h + 2 * p, d, f, s)))
    return found


def _illegal_convs(rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Every argument below its least once, the filter one too wide for the width, for the height and for both."""
    found = []
    for at in range(7):
        call = list(_draw_conv(rng))
        call[at] = -1 if at == 6 else int(rng.choice([0, -1, -2]))
        if at == 6:
            call[4] = 1  # so that only the padding is at fault
        found.append(tuple(call))
    for _ in range(ILLEGAL - 7):
        w, h, d, k, _f, s, p = _draw_conv(rng)
        f = min(w, h) + 2 * p + int(rng.integers(1, 3))
        found += [(w, h, d, k, f, s, p), (h, w, d, k, f, s, p)]
    return found


def _illegal_params(rng: np.random.Generator) -> list[tuple[int, ...]]:
    found = []
    for at in range(3):
        for bad in (0, -1, -2):
            call = list(_draw_param(rng))
            call[at] = bad
            found.append(tuple(call))
    return found


def _illegal_pools(rng: np.random.Generator) -> list[tuple[int, ...]]:
    found = [(w, h, d, f, s) for w, h, d, _k, f, s, p in _illegal_convs(rng) if p >= 0 and min(w, h, d, s, f) < 1]
    for _ in range(ILLEGAL - 5):
        w, h, d, _k, _f, s, _p = _draw_conv(rng)
        found += [(w, h, d, min(w, h) + 1, s), (h, w, d, min(w, h) + 1, s)]
    return found
