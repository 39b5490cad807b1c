"""Random images, for the benchmark measures time, not learning; and calls of the formula for a convolution's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autograder.specs.dataset import Case, DataSet

CASES = 50
RANGES = ((16, 257), (1, 8), (1, 4), (0, 4), (1, 3))  # of size, kernel, stride, padding, dilation


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """640 training images (20 batches of 32) and fewer of each other kind, float32 (N, 3, 32, 32), ten classes."""
    if name != "standin":
        return None
    draw = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for part, count in {"public": 32, "train": 640, "val": 64, "test": 64}.items():
        arrays[f"{part}_images"] = draw.normal(size=(count, 3, 32, 32)).astype(np.float32)
        arrays[f"{part}_labels"] = draw.integers(0, 10, count)
    return DataSet(
        name,
        arrays,
        hidden=frozenset({"val_images", "test_images", "sizes"}),
        judge_only=frozenset({"val_labels", "test_labels"}),
        cases={"sizes": tuple(_case(draw) for _ in range(CASES))},
    )


def _case(draw: np.random.Generator) -> Case:
    """One call of conv_output_size. The places where the kernel fits are counted, not computed by the formula."""
    size, kernel, stride, padding, dilation = (int(draw.integers(*ends)) for ends in RANGES)
    first_beyond = size + 2 * padding - dilation * (kernel - 1)
    expected = len(range(0, first_beyond, stride))
    return Case((size, kernel, stride, padding, dilation), expected=expected, size=size)
