"""Data of ccds-cnn-1: the arrays of autograder/specs/standins/images.py, and calls of classification_metrics.

| array or case list | goes to the student's process | what for |
|---|---|---|
| huge_images | yes; public_images times HUGE | a loss of probabilities learns nothing from them |
| metrics_examples | yes, as calls | public predictions; what is right is shown |
| confusion, averages | yes, as hidden calls | the same for others; one expects the matrix, the other the four numbers |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from autograder.specs.dataset import Case, DataSet
from autograder.specs.standins.images import Sizes, build_images

Array = np.ndarray[Any, Any]

SIZES = {"cifar10": Sizes(1200, 100, 200, 400), "standin": Sizes(640, 60, 200, 300)}
CLASSES = 10
EVERY = ("accuracy", "precision", "recall", "f1", "confusion")
HUGE = np.float32(1e8)
APART = 0.01  # how far each of the numbers lies from what the usual mistakes give


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    data = build_images(name, data_dir, seed, SIZES[name])
    if data is None:
        return None
    rng = np.random.default_rng([seed, 1])
    drawn = [_draw(rng, never=never) for never in ((), (), (3,), (0, 7))]
    cases = {
        "metrics_examples": _examples(),
        "confusion": tuple(_case(*pair, EVERY[-1:]) for pair in drawn),
        "averages": tuple(_case(*pair, EVERY[:-1]) for pair in drawn),
    }
    arrays = {**data.arrays, "huge_images": HUGE * data.arrays["public_images"]}
    return replace(data, arrays=arrays, cases=cases, hidden=data.hidden | {"confusion", "averages"})


def _examples() -> tuple[Case, ...]:
    """Small ones: all right, and one in which no prediction is a 9."""
    targets = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 3, 3, 8], dtype=np.int64)
    said = np.array([0, 1, 2, 5, 4, 3, 6, 7, 0, 1, 0, 0, 2, 3, 5, 8], dtype=np.int64)
    return _case(targets, targets, EVERY, "all right"), _case(targets, said, EVERY, "no prediction is a 9")


def _draw(rng: np.random.Generator, never: Sequence[int]) -> tuple[Array, Array]:
    """Uneven classes, predictions of uneven quality that are never one of `never`; drawn until no mistake is near."""
    while True:
        share = rng.permutation(0.75 ** np.arange(CLASSES))
        targets = np.concatenate([np.arange(CLASSES), rng.choice(CLASSES, size=240, p=share / share.sum())])
        rng.shuffle(targets)
        right = rng.random(len(targets)) < rng.uniform(0.3, 0.95, CLASSES)[targets]
        said = np.where(right, targets, rng.choice(CLASSES, size=len(targets), p=rng.dirichlet(np.ones(CLASSES))))
        while (wrong := np.isin(said, never)).any():
            said[wrong] = (said[wrong] + 1) % CLASSES
        if len({*said.tolist()}) == CLASSES - len(never) and _apart(targets, said):
            return targets.astype(np.int64), said.astype(np.int64)


def _apart(targets: Array, said: Array) -> bool:
    """Whether micro and weighted averages, F1 of the averages and a swap of the two would all be seen."""
    macro, weighted = (
        precision_recall_fscore_support(targets, said, average=average, zero_division=0)[:3]
        for average in ("macro", "weighted")
    )
    precision, recall, f1 = macro
    others = [accuracy_score(targets, said), *weighted, 2 * precision * recall / (precision + recall)]
    return bool(min(abs(f1 - other) for other in others) > APART and abs(precision - recall) > APART)


def _case(targets: Array, said: Array, keys: Sequence[str], label: str = "") -> Case:
    precision, recall, f1, _ = precision_recall_fscore_support(targets, said, average="macro", zero_division=0)
    found = {
        "accuracy": float(accuracy_score(targets, said)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "confusion": confusion_matrix(targets, said, labels=range(CLASSES)),
    }
    return Case((targets, said), expected={key: found[key] for key in keys}, size=len(targets), label=label)
