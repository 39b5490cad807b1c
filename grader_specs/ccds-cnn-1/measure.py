"""Measures what the thresholds of ccds-cnn-1 rest on: the training observation of each solution under many seeds.

    PYTHONPATH=. .venv/bin/python grader_specs/ccds-cnn-1/measure.py --seeds 20 --only accepted/

Every seed is one training in the sandbox, without the second try that a grading allows. Prints one line a solution:
least, mean and most of the test accuracy, macro F1, relative drop of the validation loss (start to lowest) and leftover
gradient (in gradients of one batch), and the seconds a training took. AUTOGRADER_DATA_DIR chooses the real data.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from autograder.checks.measures import cross_entropy, epoch_outputs, labels_of, last_outputs, predictions
from autograder.config import settings
from autograder.intake import unpack
from autograder.probing import Prober
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import Solution, find_solutions

COLUMNS = ("accuracy", "macro F1", "drop", "leftover", "seconds")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20, help="trainings of each solution (default: %(default)s)")
    parser.add_argument("--only", default="", help="solutions whose name contains this")
    arguments = parser.parse_args()
    spec = load_spec(Path(__file__).parent)
    data = spec.build_data(settings().data_dir, spec.spec.seed)
    sandbox = open_sandbox(settings())
    print(f"{data.name}, {arguments.seeds} seeds; each: least mean most")
    for solution in find_solutions(settings().solutions_dir / spec.spec.id):
        if arguments.only in solution.name:
            runs = [training(spec, solution, data, sandbox, seed) for seed in range(arguments.seeds)]
            print(f"{solution.name:45} {line([run for run in runs if run])}", flush=True)
    sandbox.close()


def training(
    spec: LoadedSpec, solution: Solution, data: DataSet, sandbox: Sandbox, seed: int
) -> dict[str, float] | None:
    """The measures of one training; None if it did not come to an end."""
    prober = Prober(spec.spec, unpack(solution.filename, solution.data), data, sandbox, seed)
    try:
        observation = prober.observe(spec.spec.observations["training"], seed)
    finally:
        prober.close()
    if observation.failure is not None:
        return None
    truth, val = labels_of(data.arrays, "test_labels"), labels_of(data.arrays, "val_labels")
    said = predictions(last_outputs(observation, "test"), len(truth))
    losses = [cross_entropy(outputs, val) for outputs in epoch_outputs(observation, "val")]
    norms: Any = observation.values["result"]["leftover_gradient"]
    return {
        "accuracy": float("nan") if said is None else float((said == truth).mean()),
        "macro F1": float("nan") if said is None else f1_score(truth, said, average="macro", zero_division=0),
        "drop": (losses[0] - min(losses[1:])) / losses[0],
        "leftover": norms["left"] / max(norms["one_batch"] or 0.0, 1e-6),
        "seconds": observation.seconds,
    }


def line(runs: list[dict[str, float]]) -> str:
    """The figures of several trainings on one line."""
    if not runs:
        return "no training came to an end"
    values = {name: np.array([run[name] for run in runs]) for name in COLUMNS}
    parts = [f"{name} {v.min():.3g} {v.mean():.3g} {v.max():.3g}" for name, v in values.items()]
    return " | ".join(parts) + f" | n={len(runs)}"


if __name__ == "__main__":
    main()
