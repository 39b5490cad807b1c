"""ccds-bert-emotion takes an operator's own weights where a folder has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autograder.config import settings
from autograder.specs.dataset import DataSet
from autograder.specs.loader import load_spec


def vectors(data: DataSet) -> np.ndarray[Any, Any]:
    right: np.ndarray[Any, Any] = data.cases["vectors_public"][1].expected["right"]
    return right


def test_weights_of_a_folder_go_before_the_stand_in(tmp_path: Path) -> None:
    loaded = load_spec(settings().specs_dir / "ccds-bert-emotion")
    standin = loaded.build_data(tmp_path, 0)
    assert standin.name == "standin"
    folder = tmp_path / "bert"
    folder.mkdir()
    for name, content in standin.files.items():
        if name.startswith("bert_other/"):  # some other weights in the hub's layout
            (folder / Path(name).name).write_bytes(content)
    sentences = "i feel fine;joy\ni feel low;sadness\n" * 20
    (tmp_path / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (tmp_path / "emotion" / f"{part}.txt").write_text(sentences)
    own = loaded.build_data(tmp_path, 0)
    assert (own.name, own.folders) == ("bert", {"bert": folder, "hub/default": folder})
    assert sorted(own.arrays["train_labels"]) == [0] * 20 + [5] * 20
    assert vectors(own).shape == (8, 32)
    np.testing.assert_allclose(vectors(own), standin.cases["vectors_other"][0].expected["right"], atol=1e-6)
    (folder / "model.safetensors").unlink()
    assert loaded.build_data(tmp_path, 0).name == "standin"
