"""Images of three classes that differ in which column is bright. Every hidden image carries a number to be recognised."""

import numpy as np

from autograder.specs.dataset import DataSet

FINGERPRINT = 0.7351924  # in a corner of every hidden image; "735192" in a report has leaked
CANARY = b"only-the-judge-holds-this-array"


def build(name, data_dir, seed):
    """30 training images, 12 hidden ones, 6 public ones; the judge alone holds a canary."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for part, count in (("train", 30), ("test", 12), ("public", 6)):
        labels = rng.permutation(np.arange(count) % 3)
        images = rng.normal(0, 0.1, (count, 1, 4, 4)).astype(np.float32)
        for row, label in enumerate(labels):
            images[row, 0, :, label] += 1.5
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = images, labels.astype(np.int64)
    arrays["test_images"][:, 0, 3, 3] = FINGERPRINT
    arrays["some_targets"] = np.arange(12) % 3  # not the labels: a gradient needs some
    arrays["canary"] = np.frombuffer(CANARY * 100, np.uint8).copy()
    return DataSet(
        name,
        arrays,
        hidden=frozenset({"test_images"}),
        judge_only=frozenset({"test_labels", "public_labels", "canary"}),
        class_names=("left", "middle", "right"),
    )
