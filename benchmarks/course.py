"""Do the reference solutions reach the course's accuracies on all of its data? Needs the folder of real data.

No grader trains that long; this shows what the short trainings of the grader specs stand for. Each reference is trained
once for each seed, on all training data of the folder, and judged on the test data. With a GPU it takes that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.config import settings
from autograder.specs.standins.images import read_cifar
from autograder.specs.standins.sentences import PAD, UNKNOWN, encode, read_emotion
from benchmarks.report import RESULTS, machine

Arrays = dict[str, np.ndarray[Any, Any]]
LENGTH = 66  # the longest sentence
VALIDATION = 0.1  # of the training images


@dataclass(frozen=True)
class Task:
    """One training. figure: the course's accuracy. arguments: of the solution's class or function."""

    spec: str
    kind: str
    name: str
    figure: float
    epochs: int
    lr: float
    arguments: Mapping[str, Any] = field(default_factory=dict)


TEXT = {"vocab_size": "words", "num_classes": 6}
TASKS = (
    Task("ccds-cnn-1", "images", "CNN", 0.78, 10, 1e-3),
    Task("ccds-cnn-2-sigmoid", "images", "CNNSigmoid", 0.22, 10, 1e-3),
    Task("ccds-cnn-3-extra-conv", "images", "CNNExtraConv", 0.43, 10, 1e-3),
    Task("ccds-cnn-4-batchnorm", "images", "CNNBatchNorm", 0.82, 10, 1e-3),
    Task("ccds-lstm-emotion", "texts", "build_text_model", 0.92, 8, 3e-3, TEXT),
    Task(
        "ccds-word2vec-emotion", "vectors", "build_text_model", 0.93, 8, 3e-3, TEXT | {"embeddings": {"array": "rows"}}
    ),
)


def images(folder: Path) -> Arrays | None:
    """All images of CIFAR-10 in the folder, normalised per channel; the last tenth of the training part validates."""
    found = read_cifar(folder, every=True)
    if found is None:
        return None
    arrays: Arrays = {}
    scaled = found.train_images.astype(np.float32) / 255
    mean, deviation = (getattr(scaled, f)(axis=(0, 2, 3), keepdims=True) for f in ("mean", "std"))
    order = np.random.default_rng(0).permutation(len(scaled))
    cut = int(len(order) * (1 - VALIDATION))
    for part, pictures, labels in (
        ("train", found.train_images[order[:cut]], found.train_labels[order[:cut]]),
        ("val", found.train_images[order[cut:]], found.train_labels[order[cut:]]),
        ("test", found.test_images, found.test_labels),
    ):
        arrays[f"{part}_inputs"] = ((pictures.astype(np.float32) / 255 - mean) / deviation).astype(np.float32)
        arrays[f"{part}_labels"] = labels
    return arrays


def texts(folder: Path) -> Arrays | None:
    """All emotion sentences, with every word that occurs twice."""
    read = read_emotion(folder)
    if read is None:
        return None
    often = Counter(word for text in read["train"].texts for word in text.split())
    words = (PAD, UNKNOWN, *(word for word, count in often.most_common() if count > 1))
    arrays: Arrays = {"words": np.array(words)}
    for part, found in read.items():
        arrays[f"{part}_inputs"] = encode(found.texts, words, LENGTH)
        arrays[f"{part}_labels"] = found.labels
    return arrays


def vectors(folder: Path) -> Arrays | None:
    """The same, and `rows` (V, d): the words' vectors, small random numbers for words that the file lacks."""
    arrays, path = texts(folder), folder / "vectors" / "word2vec.txt"
    if arrays is None or not path.is_file():
        return None
    index = {str(word): number for number, word in enumerate(arrays["words"])}
    with path.open(encoding="utf-8", errors="replace") as file:
        width = int(file.readline().split()[1])
        rows = np.random.default_rng(0).normal(scale=0.1, size=(len(index), width)).astype(np.float32)
        for line in file:
            word, _, rest = line.partition(" ")
            if word in index:
                rows[index[word]] = np.array(rest.split(), dtype=np.float32)
    rows[0] = 0
    return arrays | {"rows": rows}


DATA = {"images": images, "texts": texts, "vectors": vectors}


def _run(task: Task, arrays: Arrays, seed: int, batch_size: int, folder: Path) -> dict[str, Any]:
    np.savez(folder / "arrays.npz", **{k: v for k, v in arrays.items() if k != "words"})  # type: ignore[arg-type]
    arguments = {k: len(arrays["words"]) if v == "words" else v for k, v in task.arguments.items()}
    request = {
        "solution": str(settings().solutions_dir / task.spec / "accepted" / "reference.py"),
        "name": task.name,
        "arguments": arguments,
        "arrays": str(folder / "arrays.npz"),
        "seed": seed,
        "epochs": task.epochs,
        "lr": task.lr,
        "batch_size": batch_size,
    }
    (folder / "request.json").write_text(json.dumps(request))
    script = Path(__file__).with_name("course_training.py")
    command = [str(settings().runtime_python), str(script), str(folder / "request.json")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": "0"})
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    """Train what the folder has data for; print, write."""
    parser = argparse.ArgumentParser(prog="bin/bench course", description=__doc__)
    parser.add_argument("specs", nargs="*", help="spec ids (default: all that have a figure)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each (default 1)")
    parser.add_argument("--batch-size", type=int, default=64, help="default 64")
    asked = parser.parse_args()
    folder = settings().data_dir
    if folder is None:
        sys.exit("bin/bench course: set AUTOGRADER_DATA_DIR to the folder of real data (docs/operating.md)")
    results: dict[str, Any] = {}
    print(f"{machine()}; data of {folder.name}\n")
    print(f"{'':26}{'trained on':>11}{'course':>9}  accuracy (macro F1, s) of each seed")
    for task in TASKS:
        if asked.specs and task.spec not in asked.specs:
            continue
        arrays = DATA[task.kind](folder)
        if arrays is None:
            print(f"{task.spec:26}  no data of it in the folder")
            continue
        with tempfile.TemporaryDirectory() as place:
            rows = [_run(task, arrays, seed, asked.batch_size, Path(place)) for seed in range(asked.seeds)]
        said = "  ".join(f"{r['accuracy']:.3f} ({r['macro_f1']:.2f}, {r['seconds']:.0f})" for r in rows)
        print(f"{task.spec:26}{len(arrays['train_labels']):>11,}{task.figure:>9.2f}  {said}")
        results[task.spec] = {"course": task.figure, "trained_on": len(arrays["train_labels"]), "runs": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "course.json").write_text(json.dumps({"machine": machine(), "specs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
