"""Data of this task: points (N, 2) float32 in three rings around the origin, labels (N,) int64 by ring."""

import numpy as np

from autograder.specs.dataset import DataSet

RINGS = ("inner", "middle", "outer")


def build(name, _data_dir, seed):
    """The set `standin`, which needs no files; None for any other. The same arguments give the same arrays."""
    if name != "standin":
        return None
    draw = np.random.default_rng(seed)
    train_points, train_labels = _rings(300, draw)
    test_points, test_labels = _rings(150, draw)
    arrays = {
        "public_points": draw.standard_normal((8, 2)).astype(np.float32),
        "train_points": train_points,
        "train_labels": train_labels,
        "test_points": test_points,
        "test_labels": test_labels,
    }
    return DataSet(
        name,
        arrays,
        hidden=frozenset({"test_points"}),  # sent to the student's process, never shown
        judge_only=frozenset({"test_labels"}),  # never sent at all
        class_names=RINGS,
    )


def _rings(count, draw):
    """`count` points, as many in each ring, in an order that tells nothing; the rings don't touch."""
    labels = draw.permutation(np.arange(count) % len(RINGS))
    radius = labels + draw.uniform(0.2, 0.8, count)
    angle = draw.uniform(0, 2 * np.pi, count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points.astype(np.float32), labels.astype(np.int64)
