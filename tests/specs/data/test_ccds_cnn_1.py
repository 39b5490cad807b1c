"""The data builder of ccds-cnn-1: same arrays every time, right shapes, nothing hidden in what is sent."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec

PARTS = ("train", "dev", "val", "test")


@pytest.fixture(scope="module")
def spec() -> LoadedSpec:
    return load_spec(settings().specs_dir / "ccds-cnn-1")


@pytest.fixture(scope="module")
def standin(spec: LoadedSpec) -> DataSet:
    return spec.build_data(None, 0, "standin")


def test_the_same_seed_gives_the_same_arrays_and_another_seed_others(spec: LoadedSpec, standin: DataSet) -> None:
    assert spec.build_data(None, 0).digest == standin.digest
    assert spec.build_data(None, 1).digest != standin.digest


def test_images_are_normalised_and_classes_balanced(standin: DataSet) -> None:
    images = standin.arrays["train_images"]
    assert images.dtype == np.float32
    assert images.shape[1:] == (3, 32, 32)
    np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(images.std(axis=(0, 2, 3)), 1, atol=1e-3)
    for part in PARTS:
        labels = standin.arrays[f"{part}_labels"]
        assert labels.dtype == np.int64
        assert len(labels) == len(standin.arrays[f"{part}_images"])
        assert len(set(np.bincount(labels, minlength=len(standin.class_names)))) == 1


def test_training_is_sorted_by_label_and_the_rest_is_not(standin: DataSet) -> None:
    assert (np.diff(standin.arrays["train_labels"]) >= 0).all()
    for part in PARTS[1:]:
        assert (np.diff(standin.arrays[f"{part}_labels"]) < 0).any()
    assert len(set(standin.arrays["sample_labels"])) == len(standin.class_names)


def test_labels_of_hidden_images_never_leave_the_judge(standin: DataSet) -> None:
    assert standin.hidden == {"val_images", "test_images", "confusion", "averages"}
    assert standin.judge_only == {"val_labels", "test_labels"}


def test_no_image_is_in_two_parts(standin: DataSet) -> None:
    rows = [image.tobytes() for part in PARTS for image in standin.arrays[f"{part}_images"]]
    assert len(set(rows)) == len(rows)


def test_hidden_predictions_tell_the_usual_mistakes(standin: DataSet) -> None:
    unpredicted = []
    for matrix_case, case in zip(standin.cases["confusion"], standin.cases["averages"], strict=True):
        targets, said = (np.asarray(array) for array in case.arguments)
        right, matrix = dict(case.expected), dict(matrix_case.expected)["confusion"]
        assert set(targets.tolist()) == set(range(10))
        unpredicted.append(10 - len(set(said.tolist())))
        assert matrix.sum() == len(targets)
        assert not np.array_equal(matrix, matrix.T)
        assert right["accuracy"] == pytest.approx(np.trace(matrix) / matrix.sum())
        for average in ("micro", "weighted"):
            wrong = f1_score(targets, said, average=average, zero_division=0)
            assert abs(wrong - right["f1"]) > 0.01
        assert abs(right["precision"] - right["recall"]) > 0.01
    assert unpredicted == [0, 0, 1, 2]


def test_textures_are_not_seen_by_single_pixels(standin: DataSet) -> None:
    """Stripes and checks of a colour have nearly equal mean images, so that colour alone can't tell them apart."""
    images, labels = standin.arrays["train_images"], standin.arrays["train_labels"]
    means = [images[labels == label].mean(axis=(0, 2, 3)) for label in range(10)]
    for stripes, checks, other in ((0, 1, 2), (2, 3, 4), (4, 5, 0)):
        within = np.linalg.norm(means[stripes] - means[checks])
        assert within < 0.3 * np.linalg.norm(means[stripes] - means[other])


def test_without_a_folder_there_is_no_cifar(spec: LoadedSpec, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="could not build"):
        spec.build_data(None, 0, "cifar10")
    assert spec.build_data(tmp_path, 0).name == "standin"


def _batches(folder: Path, make: Callable[[], object]) -> None:
    folder.mkdir(parents=True)
    for name in ("data_batch_1", "test_batch"):
        (folder / name).write_bytes(pickle.dumps(make(), protocol=2))


def test_the_official_batches_are_read(spec: LoadedSpec, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)

    def batch() -> object:
        labels = [n % 10 for n in range(1000)]
        return {b"data": draw.integers(0, 256, (1000, 3072), dtype=np.uint8), b"labels": labels, b"batch_label": b"x"}

    _batches(tmp_path / "cifar-10-batches-py", batch)
    data = spec.build_data(tmp_path, 0)
    assert data.name == "cifar10"
    assert data.class_names[0] == "airplane"
    assert data.arrays["train_images"].shape == (1200, 3, 32, 32)
    assert data.digest == spec.build_data(tmp_path, 0).digest


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.system, ("exit 1",)


def test_a_batch_that_would_run_code_is_refused(spec: LoadedSpec, tmp_path: Path) -> None:
    _batches(tmp_path / "cifar-10-batches-py", _Evil)
    with pytest.raises(SpecError, match="may not hold"):
        spec.build_data(tmp_path, 0)
