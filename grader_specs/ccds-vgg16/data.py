"""Data of ccds-vgg16: images of specs/standins/images.py, a file of pre-trained convolutions, and what they answer.

| array | goes to the student's process | what for |
|---|---|---|
| huge_images, huge_labels | yes; some of train_images times HUGE | a loss of probabilities learns nothing from them |
| features_public, features_hidden | yes, as calls; not their answers | the weights of the file give the right ones |
| normalise_examples, normalise | yes, as calls; not their answers | images in [0, 1] and what they become |
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.images import Sizes, build_images
from autograder.specs.trusted import run_trusted

Array = np.ndarray[Any, Any]
WEIGHTS = "vgg16_small.pt"
WIDTH = 8
HUGE = np.float32(1e8)
SIZES = {  # `other`: what the convolutions are trained on
    "cifar10": Sizes(train=600, dev=100, val=200, test=400, other=4000),
    "standin": Sizes(train=320, dev=40, val=100, test=300, other=1600),
}
MEAN = np.array([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
DEVIATION = np.array([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    data = build_images(name, data_dir, seed, SIZES[name])
    if data is None:
        return None
    public, hidden = data.arrays["public_images"][:12], data.arrays["val_images"][:24]
    made = run_trusted(
        Path(__file__).with_name("pretrain.py"),
        {"seed": 16, "epochs": 12, "width": WIDTH},
        {
            "images": data.arrays["other_images"],
            "labels": data.arrays["other_labels"],
            "public": public,
            "hidden": hidden,
        },
    )
    rng = np.random.default_rng([seed, 16])
    cases = {
        "features_public": _features(public, made.arrays["public"], (1, 12)),
        "features_hidden": _features(hidden, made.arrays["hidden"], (1, 24)),
        "normalise_examples": _examples(),
        "normalise": tuple(_normalised(rng.random(shape)) for shape in ((1, 3, 5, 4), (4, 3, 32, 32), (3, 3, 3, 3))),
    }
    return replace(
        data,
        arrays={
            **data.arrays,
            "huge_images": HUGE * data.arrays["train_images"][:32],
            "huge_labels": data.arrays["train_labels"][:32],
        },
        cases=cases,
        hidden=data.hidden | {"features_hidden", "normalise"},
        files={**data.files, WEIGHTS: made.files["weights"]},
        facts=made.facts,
    )


def _features(images: Array, answers: Array, rows: tuple[int, ...]) -> tuple[Case, ...]:
    """Calls of extract_features on the first of the images."""
    return tuple(
        Case((Ref("built", "model"), images[:n]), expected=answers[:n], size=n, label=f"{n} images") for n in rows
    )


def _examples() -> tuple[Case, ...]:
    """Calls of normalise whose answers can be worked out by hand."""
    black, white = np.zeros((1, 3, 1, 1)), np.ones((1, 3, 2, 2))
    red = np.zeros((2, 3, 2, 3))
    red[:, 0] = 1
    return (
        _normalised(black, "one black pixel"),
        _normalised(white, "a white image"),
        _normalised(red, "two red images"),
    )


def _normalised(images: Array, label: str = "") -> Case:
    expected = (images - MEAN) / DEVIATION
    return Case((images.astype(np.float32),), expected=expected, size=images.size, label=label)
