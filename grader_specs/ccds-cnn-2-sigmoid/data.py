"""Data of ccds-cnn-2-sigmoid: the arrays of specs/standins/images.py, and noise far beyond any image's range.

| array | goes to the student's process | what for |
|---|---|---|
| far_images | yes; 16 of the noise images times 1e4, then the same times 1e6 | sigmoids saturate, ReLUs do not |
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from autograder.specs.dataset import DataSet
from autograder.specs.standins.images import Sizes, build_images

SIZES = {"cifar10": Sizes(600, 100, 200, 200), "standin": Sizes(400, 60, 200, 200)}


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    data = build_images(name, data_dir, seed, SIZES[name])
    if data is None:
        return None
    noise = data.arrays["public_images"][:16]
    far = np.concatenate([noise * np.float32(1e4), noise * np.float32(1e6)])
    return replace(data, arrays={**data.arrays, "far_images": far})
