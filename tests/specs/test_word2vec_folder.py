"""ccds-word2vec-emotion takes an operator's own word vectors where a folder has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs.loader import load_spec
from autograder.specs.standins.sentences import EMOTIONS, draw, every_word

SPEC = load_spec(settings().specs_dir / "ccds-word2vec-emotion")
WIDTH = 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with sentences and a file of vectors: word number n has n in its first place."""
    lying = draw(2400, np.random.default_rng(9), rare_share=0.2)
    lines = [f"{text};{EMOTIONS[label]}\n" for text, label in zip(lying.texts, lying.labels, strict=True)]
    (tmp_path / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (tmp_path / "emotion" / f"{part}.txt").write_text("".join(lines))
    (tmp_path / "vectors").mkdir()
    write(tmp_path, every_word())
    return tmp_path


def write(folder: Path, words: tuple[str, ...], width: int = WIDTH) -> None:
    rows = [f"{word} {n} {' '.join(['0.5'] * (width - 1))} \n" for n, word in enumerate(words)]
    (folder / "vectors" / "word2vec.txt").write_text(f"{len(words)} {WIDTH}\n" + "".join(rows))


def test_vectors_of_a_folder_go_before_the_stand_in(folder: Path) -> None:
    data = SPEC.build_data(folder, 0)
    assert data.name == "word2vec"
    matrix = data.arrays["vectors"]
    assert matrix.shape == (1000, WIDTH)
    assert not matrix[0].any(), "padding"
    file = data.files["vectors/emotion.txt"].decode().splitlines()
    number = every_word().index("miserable")
    assert f"miserable {number:.4f} {' '.join(['0.5000'] * (WIDTH - 1))}" in file
    assert sum(row[0] == number for row in matrix) == 1
    assert not any(line.startswith("because ") for line in file), "a word that the file is to lack"
    assert {len(data.arrays[f"{part}_tokens"]) for part in ("train", "test")} == {2000, 600}


def test_no_sentences_beside_the_vectors_means_the_stand_in(folder: Path) -> None:
    (folder / "emotion" / "val.txt").unlink()
    assert SPEC.build_data(folder, 0).name == "standin"


def test_a_file_that_can_not_be_used_is_refused_with_its_line(folder: Path) -> None:
    write(folder, every_word()[: len(every_word()) // 2])
    with pytest.raises(SpecError, match=r"word2vec\.txt: \d+ of the sentences' \d+ words"):
        SPEC.build_data(folder, 0)
    write(folder, every_word(), width=WIDTH - 1)
    with pytest.raises(SpecError, match=r"word2vec\.txt:2: not 10 numbers"):
        SPEC.build_data(folder, 0)
    (folder / "vectors" / "word2vec.txt").write_text("a 0.5 0.25\n")
    with pytest.raises(SpecError, match=r"word2vec\.txt:1: not a number of words"):
        SPEC.build_data(folder, 0)
