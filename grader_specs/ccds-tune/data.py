"""Data of ccds-tune: the arrays of specs/standins/images.py, and tables of a grid search whose best cell is known.

| cases | goes to the student's process | what for |
|---|---|---|
| grid | yes (no arguments) | the six cells in their order |
| best_examples | yes, public; not their answers | three small tables that are shown with the right answer |
| best, group tables | yes, hidden | every other way to choose (`OTHER_WAYS`) names another cell |
| best, group measured | yes, hidden | two tables that were really measured (measure_grid.py) |
| best, group ties | yes, hidden | several cells share the highest validation accuracy; the least loss decides |
| own_best | a reference to the student's own `results` | the choice among rows that the student measured |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.images import Sizes, build_images

Row = dict[str, float]
Cell = tuple[float, float]
SIZES = {"cifar10": Sizes(480, 60, 200, 100), "standin": Sizes(240, 60, 100, 100)}
BATCH_SIZES = (256, 512, 1024)
LEARNING_RATES = (1e-4, 1e-3)
ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy")
# What a wrong choice would go by; in a hidden table none of them leads to the right cell.
OTHER_WAYS: Mapping[str, Callable[[list[Row]], Row]] = {
    "best on the training images": lambda rows: max(rows, key=lambda r: r["train_accuracy"]),
    "best on the test images": lambda rows: max(rows, key=lambda r: r["test_accuracy"]),
    "worst instead of best": lambda rows: min(rows, key=lambda r: r["val_accuracy"]),
    "least loss": lambda rows: min(rows, key=lambda r: r["val_loss"]),
    "largest loss": lambda rows: max(rows, key=lambda r: r["val_loss"]),
    "first": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
    "best of all three": lambda rows: max(rows, key=lambda r: sum(r[a] for a in ACCURACIES)),
}


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    data = build_images(name, data_dir, seed, SIZES[name])
    if data is None:
        return None
    rng = np.random.default_rng([seed, 5])
    cells = [(batch, lr) for batch in BATCH_SIZES for lr in LEARNING_RATES]
    cases = {
        "grid": (Case((), expected=cells, label="no arguments"),),
        "best_examples": (_case([_row(256, 1e-3, 0.9, 0.7, 0.9, 0.6)], "one cell"), *_examples(rng)),
        "own_best": (Case((Ref("entry", "results"),)),),
        "best": (*_tables(rng), *_measured(), *_ties(rng)),
    }
    return replace(data, cases=cases, hidden=data.hidden | {"best"})


def best_of(rows: list[Row]) -> Cell:
    """(batch size, learning rate) of the highest validation accuracy; of equal ones that with the least loss."""
    best = sorted(rows, key=lambda row: (-row["val_accuracy"], row["val_loss"]))[0]
    return best["batch_size"], best["lr"]


def _examples(rng: np.random.Generator) -> tuple[Case, ...]:
    tied = [_row(256, 1e-4, 0.84, 0.71, 0.83, 0.72), _row(512, 1e-3, 0.93, 0.78, 0.74, 0.75)]
    tied += [_row(1024, 1e-3, 0.88, 0.78, 0.69, 0.76), _row(1024, 1e-4, 0.62, 0.58, 1.2, 0.59)]
    return _case(tied, "two equally good cells"), _case(
        _draw(rng, [(b, r) for b in (256, 512) for r in (1e-4, 1e-3)]), ""
    )


def _tables(rng: np.random.Generator) -> tuple[Case, ...]:
    """Tables of the task's own grid and of other cells, in any order."""
    grids = ((BATCH_SIZES, LEARNING_RATES), ((16, 32, 64, 128), (3e-4, 3e-3, 0.01)))
    drawn = (_draw(rng, list(product(*grids[i % 2]))) for i in range(16))
    return tuple(_case(rows, "", "tables") for rows in sorted(drawn, key=len))


def _measured() -> tuple[Case, ...]:
    """Tables as a grid search gave them: the same for every seed, and wrong ways may find the best cell, too."""
    tables = json.loads(Path(__file__).with_name("measured_grid.json").read_text(encoding="utf-8"))
    return tuple(_case(rows, "", "measured") for rows in tables)


def _ties(rng: np.random.Generator) -> tuple[Case, ...]:
    """Two or three cells share the highest accuracy; the one of least loss is the first or second of them."""
    cases = []
    for number in range(8):
        rows = _draw(rng, list(product(BATCH_SIZES, LEARNING_RATES)))
        top = max(row["val_accuracy"] for row in rows)
        shared = sorted(rng.choice(len(rows), 2 + number % 2, replace=False).tolist())
        for place in shared:
            rows[place] = {**rows[place], "val_accuracy": top + 0.02}
        winner = shared[1] if number % 4 else shared[0]
        rows[winner] = {**rows[winner], "val_loss": min(rows[place]["val_loss"] for place in shared) - 0.03}
        cases.append(_case(rows, "", "ties"))
    return tuple(cases)


def _draw(rng: np.random.Generator, cells: list[Cell]) -> list[Row]:
    """A table in which no wrong way finds the best cell, and all validation accuracies differ."""
    while True:
        order = rng.permutation(len(cells))
        rows = [_row(*cells[i], *(round(float(v), 3) for v in _numbers(rng))) for i in order]
        best = best_of(rows)
        ways = [way(rows) for way in OTHER_WAYS.values()]
        apart = all((row["batch_size"], row["lr"]) != best for row in ways)
        if apart and len({row["val_accuracy"] for row in rows}) == len(rows):
            return rows


def _numbers(rng: np.random.Generator) -> tuple[float, float, float, float]:
    return rng.uniform(0.5, 0.99), rng.uniform(0.4, 0.9), rng.uniform(0.4, 1.6), rng.uniform(0.4, 0.9)


def _row(batch: float, lr: float, train: float, val: float, loss: float, test: float) -> Row:
    return {
        "batch_size": batch,
        "lr": lr,
        "train_accuracy": train,
        "val_accuracy": val,
        "val_loss": loss,
        "test_accuracy": test,
    }


def _case(rows: list[Row], label: str, group: str = "") -> Case:
    return Case((rows,), expected=best_of(rows), size=len(rows), label=label, group=group)
