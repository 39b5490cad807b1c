"""Data of ccds-cnn-4-batchnorm: the arrays of specs/standins/images.py, and noise far beyond any image's range.

| array | goes to the student's process | what for |
|---|---|---|
| predict_cases | yes, as calls; not their answers | a known model with dropout, in train mode: predict must call eval |
| far_images | yes; 16 of the noise images times 1e4, then the same times 1e6 | sigmoids saturate, ReLUs do not |
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.images import Sizes, build_images

Array = np.ndarray[Any, Any]
SIZES = {"cifar10": Sizes(1200, 100, 200, 400), "standin": Sizes(480, 60, 200, 300)}


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    data = build_images(name, data_dir, seed, SIZES[name])
    if data is None:
        return None
    noise = data.arrays["public_images"][:16]
    far = np.concatenate([noise * np.float32(1e4), noise * np.float32(1e6)])
    calls = _calls(data.arrays["public_images"], np.random.default_rng([seed, 4]))
    return replace(data, arrays={**data.arrays, "far_images": far}, cases={"predict_cases": calls})


def _calls(images: Array, rng: np.random.Generator) -> tuple[Case, ...]:
    """Calls of predict with linear models whose classes are known, on one image and on many."""
    calls = []
    for rows in (1, 8, 64):
        weight = rng.standard_normal((10, images[0].size)).astype(np.float32)
        bias = np.zeros(10, dtype=np.float32)
        given = images[:rows]
        classes = (given.reshape(rows, -1).astype(np.float64) @ weight.T + bias).argmax(axis=1)
        model = Ref("given_model", weight=weight, bias=bias, dropout=0.8, train=True)
        calls.append(Case((model, given), expected=classes, size=rows, label=f"{rows} images"))
    return tuple(calls)
