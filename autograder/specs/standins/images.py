"""Small colour images of ten classes: CIFAR-10 from a data folder, or a generated stand-in of the same shape.

Every set has the same arrays; only the numbers of images differ. Images are float32 (N, 3, 32, 32), scaled to [0, 1]
and then normalised per channel with the mean and deviation of the training images. Labels are int64 (N,).

| array | goes to the student's process | what for |
|---|---|---|
| train_images, train_labels | yes, sorted by label | the student's training function |
| dev_images, dev_labels | yes | the validation set a training function may ask for |
| sample_images, sample_labels | yes; a mixed part of the training images | the training curve beside the other one |
| public_images, public_labels | yes; noise, made from the seed alone | shape and crash checks whose errors are shown |
| val_images, test_images | yes, as hidden inputs | loss curve; accuracy and report |
| val_labels, test_labels | never | the judge's targets |
| other_images, other_labels | never | for a data builder that trains something of its own; only where asked for |

The file `datasets/cifar10.npz` serves torchvision.datasets.CIFAR10 in a notebook that loads its data itself: the train
images as its training set, the dev images as its test set, before they are scaled.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from autograder.specs.dataset import DataSet

Array = np.ndarray[Any, Any]

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STANDIN_CLASSES = (
    "red stripes",
    "red checks",
    "green stripes",
    "green checks",
    "blue stripes",
    "blue checks",
    "grey stripes",
    "grey checks",
    "yellow blobs",
    "violet blobs",
)
SERVED = "datasets/cifar10.npz"
PUBLIC_IMAGES = 128
SAMPLE_IMAGES = 100


@dataclass(frozen=True)
class Sizes:
    """Images of each part; all are multiples of the number of classes, so that every class is equally frequent."""

    train: int
    dev: int
    val: int
    test: int
    other: int = 0


def build_images(name: str, data_dir: Path | None, seed: int, sizes: Sizes) -> DataSet | None:
    """The data set `standin` (generated) or `cifar10` (from a folder; None if it is not there), with the arrays above.

    The same arguments give the same arrays. sizes: images of each part.
    """
    rng = np.random.default_rng([seed, len(name)])
    if name == "standin":
        images, labels = _draw(sum(vars(sizes).values()), rng)
        return _assemble(name, images, labels, STANDIN_CLASSES, sizes, rng)
    if name == "cifar10" and data_dir is not None:
        read = read_cifar(data_dir)
        if read is None:
            return None
        images = np.concatenate([read.train_images, read.test_images])
        labels = np.concatenate([read.train_labels, read.test_labels])
        return _assemble(name, images, labels, CIFAR_CLASSES, sizes, rng)
    return None


# --- parts ------------------------------------------------------------------------------------------------------------


def _assemble(
    name: str, images: Array, labels: Array, classes: tuple[str, ...], parts: Sizes, rng: np.random.Generator
) -> DataSet:
    """Split balanced uint8 images (N, 3, 32, 32) into the parts, normalise them, sort the training part by label."""
    sizes = {part: count for part, count in vars(parts).items() if count}
    rows: dict[str, list[Array]] = {part: [] for part in sizes}
    for label in range(len(classes)):
        pool = rng.permutation(np.flatnonzero(labels == label))
        start = 0
        for part, count in sizes.items():
            take = count // len(classes)
            rows[part].append(pool[start : start + take])
            start += take
    arrays: dict[str, Array] = {}
    order = {part: np.concatenate(chunks) for part, chunks in rows.items()}  # by label, one class after the other
    scaled = images[order["train"]].astype(np.float32) / 255
    mean = scaled.mean(axis=(0, 2, 3), keepdims=True)
    deviation = scaled.std(axis=(0, 2, 3), keepdims=True) + 1e-6
    for part, index in order.items():
        mixed = index if part == "train" else rng.permutation(index)
        arrays[f"{part}_images"] = ((images[mixed].astype(np.float32) / 255 - mean) / deviation).astype(np.float32)
        arrays[f"{part}_labels"] = labels[mixed].astype(np.int64)
    sample = np.linspace(0, sizes["train"] - 1, SAMPLE_IMAGES).astype(np.int64)  # of every class, since sorted
    arrays["sample_images"] = arrays["train_images"][sample]
    arrays["sample_labels"] = arrays["train_labels"][sample]
    arrays["public_images"] = rng.standard_normal((PUBLIC_IMAGES, 3, 32, 32)).astype(np.float32)
    arrays["public_labels"] = np.arange(PUBLIC_IMAGES, dtype=np.int64) % len(classes)
    return DataSet(
        name=name,
        arrays=arrays,
        hidden=frozenset({"val_images", "test_images"}),
        judge_only=frozenset({"val_labels", "test_labels", "other_images", "other_labels"} & arrays.keys()),
        class_names=classes,
        files={SERVED: _served(images, labels, classes, order["train"], order["dev"])},
    )


def _served(images: Array, labels: Array, classes: tuple[str, ...], train: Array, test: Array) -> bytes:
    """The archive that serves torchvision.datasets.CIFAR10 (docs/writing-a-spec.md); train, test: rows of images."""
    archive = io.BytesIO()
    np.savez(
        archive,
        x_train=images[train].transpose(0, 2, 3, 1),
        y_train=labels[train].astype(np.int64),
        x_test=images[test].transpose(0, 2, 3, 1),
        y_test=labels[test].astype(np.int64),
        classes=np.array(classes),
    )
    return archive.getvalue()


# --- stand-in ---------------------------------------------------------------------------------------------------------

TINTS = {  # how far each family of classes moves the red, green and blue channel
    "red": (1.0, -0.5, -0.5),
    "green": (-0.5, 1.0, -0.5),
    "blue": (-0.5, -0.5, 1.0),
    "grey": (0.0, 0.0, 0.0),
    "yellow": (0.8, 0.8, -0.8),
    "violet": (0.8, -0.8, 0.8),
}
TINT_STRENGTH = 0.14
TINT_NOISE = 0.025
PATTERN_STRENGTH = (0.20, 0.35)
PIXEL_NOISE = 0.05


def _draw(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Balanced images of ten classes: a weak tint tells families apart, a texture tells classes of a family apart.

    Stripes and checks have random phase, direction, width and sign, so no pixel's mean differs between them: a linear
    classifier sees the tint only.
    """
    labels = np.arange(count) % len(STANDIN_CLASSES)
    images = np.empty((count, 3, 32, 32), dtype=np.uint8)
    for row, label in enumerate(labels):
        family, texture = STANDIN_CLASSES[label].split()
        tint = TINT_STRENGTH * np.array(TINTS[family]) + TINT_NOISE * rng.standard_normal(3)
        pattern = {"stripes": _stripes, "checks": _checks, "blobs": _blobs}[texture](rng)
        strength = rng.uniform(*PATTERN_STRENGTH) * rng.uniform(0.5, 1.0, size=3)
        image = 0.5 + tint[:, None, None] + strength[:, None, None] * pattern + _lighting(rng)
        image += PIXEL_NOISE * rng.standard_normal((3, 32, 32))
        images[row] = np.clip(255 * image, 0, 255).astype(np.uint8)
    return images, labels


def _grid() -> tuple[Array, Array]:
    y, x = np.mgrid[0:32, 0:32].astype(np.float64)
    return y, x


def _wave(angle: float, period: float, phase: float) -> Array:
    y, x = _grid()
    wave: Array = np.tanh(2 * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + phase))
    return wave


def _stripes(rng: np.random.Generator) -> Array:
    return _wave(rng.uniform(0, np.pi), rng.uniform(7, 10), rng.uniform(0, 2 * np.pi))


def _checks(rng: np.random.Generator) -> Array:
    angle, period = rng.uniform(0, np.pi), rng.uniform(3.5, 5)
    first = _wave(angle, period, rng.uniform(0, 2 * np.pi))
    second = _wave(angle + np.pi / 2, period, rng.uniform(0, 2 * np.pi))
    checks: Array = first * second
    return checks


def _blobs(rng: np.random.Generator) -> Array:
    y, x = _grid()
    pattern = np.zeros((32, 32))
    for _ in range(5):
        cy, cx, width = rng.uniform(2, 30), rng.uniform(2, 30), rng.uniform(2.0, 3.5)
        pattern += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))
    blobs: Array = rng.choice([-1.0, 1.0]) * np.clip(2 * pattern - 0.6, -1, 1)
    return blobs


def _lighting(rng: np.random.Generator) -> Array:
    """A smooth change of brightness over the image, the same for all channels."""
    y, x = _grid()
    slope = rng.uniform(-0.12, 0.12, size=2)
    lighting: Array = slope[0] * (y - 15.5) / 16 + slope[1] * (x - 15.5) / 16 + rng.uniform(-0.05, 0.05)
    return lighting


# --- CIFAR-10 ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cifar:
    """Images uint8 (N, 3, 32, 32) and labels int64 (N,) of both parts."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array


def read_cifar(data_dir: Path, *, every: bool = False) -> Cifar | None:
    """CIFAR-10 from the small archive or the official Python batches of a folder; None if neither is there.

    every: all five training batches where they are, else the first.
    """
    batches = [f"data_batch_{number}" for number in range(1, 6 if every else 2)]
    archive = data_dir / "cifar10" / "cifar10_5k1k.npz"
    official = [data_dir / "cifar-10-batches-py", data_dir / "cifar10" / "cifar-10-batches-py"]
    found = next((f for f in official if all((f / name).is_file() for name in (*batches, "test_batch"))), None)
    if archive.is_file() and not (every and found):
        with np.load(archive, allow_pickle=False) as stored:
            images = {part: stored[f"x_{part}"].transpose(0, 3, 1, 2) for part in ("train", "test")}
            labels = {part: stored[f"y_{part}"].astype(np.int64) for part in ("train", "test")}
        return Cifar(images["train"], labels["train"], images["test"], labels["test"])
    if found is None:
        return None
    read = [_read_batch((found / name).read_bytes()) for name in batches]
    test = _read_batch((found / "test_batch").read_bytes())
    return Cifar(np.concatenate([r[0] for r in read]), np.concatenate([r[1] for r in read]), *test)


class _ArraysOnly(pickle.Unpickler):
    """Unpickles what a CIFAR batch holds (dicts, bytes, lists, numpy arrays) and nothing that can run code."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy"):
            known = {"_reconstruct": _reconstruct, "ndarray": np.ndarray, "dtype": np.dtype}
            if name in known:
                return known[name]
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes in Python 2's format
            return lambda text, _encoding: text.encode("latin-1")
        raise pickle.UnpicklingError(f"a CIFAR-10 batch may not hold {module}.{name}")


def _read_batch(content: bytes) -> tuple[Array, Array]:
    batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    images = np.asarray(batch[b"data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
    return images, np.asarray(batch[b"labels"], dtype=np.int64)
