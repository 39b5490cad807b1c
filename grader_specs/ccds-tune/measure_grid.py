"""Measures the tables in measured_grid.json: a grid search that was really run, once for each of two seeds.

    PYTHONPATH=. .venv-runtime/bin/python grader_specs/ccds-tune/measure_grid.py

The reference solution's network is trained in the six cells of its `grid()`, for nine epochs with Adam and its
"cosine" schedule (an epoch of warm-up), and measured on images it was not trained on. Images are the project's own
stand-ins: 2040 for training, 1000 for validation and 1000 for testing, where the course has 43,000, 7,000 and 10,000 of
CIFAR-10. The batch sizes are the task's, 256, 512 and 1024, so an epoch has 8, 4 or 2 steps. Training accuracy is
measured after the training, in eval mode. The cells are trained in an order drawn from the seed, and the rows stand in
that order.

Nothing is chosen or mended by hand. Another machine may give other last digits, so the file is kept; grading never runs
this. It takes one core some minutes.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from autograder.specs.dataset import DataSet
from autograder.specs.standins.images import Sizes, build_images

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parents[1] / "reference_solutions" / HERE.name / "accepted" / "reference.py"
SIZES = Sizes(train=2040, dev=100, val=1000, test=1000)
SEEDS = (1, 2)
EPOCHS = 9


def main() -> None:
    """Train, and write the tables beside this file."""
    torch.set_num_threads(1)
    reference = _reference()
    tables = []
    for seed in SEEDS:
        data = build_images("standin", None, seed, SIZES)
        if data is None:
            raise RuntimeError("the stand-in images can always be built")
        cells = reference.grid()
        order = np.random.default_rng(seed).permutation(len(cells))
        tables.append([_row(reference, data, cells[place], seed) for place in order.tolist()])
    HERE.joinpath("measured_grid.json").write_text(_text(tables), encoding="utf-8")


def _reference() -> ModuleType:
    """The reference solution as a module."""
    found = importlib.util.spec_from_file_location("reference", REFERENCE)
    if found is None or found.loader is None:
        raise RuntimeError(f"{REFERENCE} can't be imported")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _row(reference: ModuleType, data: DataSet, cell: tuple[int, float], seed: int) -> dict[str, float]:
    """Train in one cell and measure."""
    batch_size, lr = cell
    torch.manual_seed(seed)
    arrays = {name: torch.from_numpy(array) for name, array in data.arrays.items()}
    images, labels = arrays["train_images"], arrays["train_labels"]
    model = reference.CNNTuned()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = -(-len(images) // batch_size)
    scheduler = reference.make_scheduler("cosine", optimizer, EPOCHS * steps, steps)
    for _ in range(EPOCHS):
        model.train()
        for batch in torch.randperm(len(images)).split(batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            scheduler.step()
    train, val, test = (
        _measured(model, arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "val", "test")
    )
    return {
        "batch_size": batch_size,
        "lr": lr,
        "train_accuracy": train[0],
        "val_accuracy": val[0],
        "val_loss": val[1],
        "test_accuracy": test[0],
    }


def _measured(model: Any, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Accuracy and mean cross entropy in eval mode."""
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in images.split(256)])
    accuracy = (logits.argmax(dim=1) == labels).double().mean().item()
    return round(accuracy, 6), round(functional.cross_entropy(logits, labels).item(), 6)


def _text(tables: list[list[dict[str, float]]]) -> str:
    """The tables as JSON, a row a line."""
    blocks = [",\n".join(f"  {json.dumps(row)}" for row in rows) for rows in tables]
    return "[\n" + ",\n".join(f" [\n{block}\n ]" for block in blocks) + "\n]\n"


if __name__ == "__main__":
    main()
