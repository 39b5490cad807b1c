"""Random images: the benchmark measures time, not learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autograder.specs.dataset import DataSet


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """640 training images (20 batches of 32) and 64 of each other kind, float32 (N, 3, 32, 32), ten classes."""
    if name != "standin":
        return None
    draw = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for part, count in {"public": 32, "train": 640, "val": 64, "test": 64}.items():
        arrays[f"{part}_images"] = draw.normal(size=(count, 3, 32, 32)).astype(np.float32)
        arrays[f"{part}_labels"] = draw.integers(0, 10, count)
    hidden, judge_only = {"val_images", "test_images"}, {"val_labels", "test_labels"}
    return DataSet(name, arrays, frozenset(hidden), frozenset(judge_only))
