"""Data of ccds-lstm-emotion: the arrays of specs/standins/text_tasks.py, where the table says what goes where."""

from __future__ import annotations

from pathlib import Path

from autograder.specs.dataset import DataSet
from autograder.specs.standins.sentences import EMOTIONS
from autograder.specs.standins.text_tasks import HIDDEN, JUDGE_ONLY, TextSizes, sentences_of, token_arrays

SIZES = {
    "emotion": TextSizes(train=6000, val=400, test=800, length=40, words=1000),
    "standin": TextSizes(train=1500, val=240, test=360, length=32, words=1000),
}


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    texts = sentences_of(name, data_dir, seed, SIZES[name])
    if texts is None:
        return None
    return DataSet(name, token_arrays(texts, seed, SIZES[name]), HIDDEN, JUDGE_ONLY, EMOTIONS)
