"""Data of ccds-lstm-emotion: the arrays of specs/standins/text_tasks.py (a table there), and two with another pad."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
    arrays = token_arrays(texts, seed, SIZES[name]) | _other_tokens(seed)
    return DataSet(name, arrays, HIDDEN, JUDGE_ONLY, EMOTIONS)


def _other_tokens(seed: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Random words of another vocabulary, numbers 4 to 59, padded with 3: other_tokens (8, 8) and with more padding."""
    rng = np.random.default_rng([seed, 29])
    tokens = rng.integers(4, 60, size=(8, 8))
    tokens[np.arange(8) >= rng.permutation(np.arange(8) % 4 + 3)[:, None]] = 3
    return {"other_tokens": tokens, "other_padded": np.pad(tokens, ((0, 0), (0, 8)), constant_values=3)}
