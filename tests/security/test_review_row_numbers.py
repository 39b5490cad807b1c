"""Hidden labels must not follow from a row's number: a model that counts its inputs would get full points."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.authoring.new_spec import TEMPLATE
from autograder.checks.base import Array
from autograder.config import settings
from autograder.specs.loader import load_all, load_spec

SPECS = {TEMPLATE: load_spec(settings().specs_dir / TEMPLATE), **load_all(settings().specs_dir)}


def told_by_row(labels: Array) -> float:
    """How much more often than by chance a label is guessed from its row: in turn, or one block after the other."""
    classes = len(np.unique(labels))
    rows, most = np.arange(len(labels)), float(np.bincount(labels).max()) / len(labels)
    places = [rows % period for period in range(2, 2 * classes + 1)] + [rows * classes // len(labels)]
    right = [sum(np.bincount(labels[place == p]).max() for p in np.unique(place)) / len(labels) for place in places]
    return max(right) - most


@pytest.mark.parametrize("name", SPECS)
def test_a_hidden_label_is_not_told_by_its_row(name: str) -> None:
    spec = SPECS[name]
    data = spec.build_data(None, spec.spec.seed)
    for array in data.hidden | data.judge_only:
        values = data.arrays.get(array)
        if values is not None and values.ndim == 1 and values.dtype.kind in "iu" and 1 < len(np.unique(values)) <= 20:
            assert told_by_row(values) < 0.45, array  # small sets reach 0.3 by chance, an order 0.6 and more


def test_an_order_is_noticed() -> None:
    drawn = np.random.default_rng(1).integers(0, 3, 150)
    assert told_by_row(drawn) < 0.3
    assert min(told_by_row(np.arange(150) % 3), told_by_row(np.sort(drawn))) > 0.5
