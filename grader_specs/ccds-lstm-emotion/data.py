"""Data of ccds-lstm-emotion: the arrays of specs/standins/text_tasks.py (a table there), and two with another pad.

The training sentences serve load_dataset("dair-ai/emotion").
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autograder.specs.dataset import DataSet
from autograder.specs.standins.sentences import EMOTIONS, served
from autograder.specs.standins.text_tasks import HIDDEN, JUDGE_ONLY, Array, TextSizes, sentences_of, token_arrays

SIZES = {
    "emotion": TextSizes(train=6000, val=400, test=800, length=40, words=1000),
    "standin": TextSizes(train=1500, val=240, test=360, length=32, words=1000),
}


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build a data set by name; None if its files are not there. The same arguments give the same arrays."""
    texts = sentences_of(name, data_dir, seed, SIZES[name])
    if texts is None:
        return None
    arrays = token_arrays(texts, seed, SIZES[name])
    arrays |= _other_tokens(seed) | {"last_changed": _last_changed(arrays["public_tokens"])}
    return DataSet(name, arrays, HIDDEN, JUDGE_ONLY, EMOTIONS, files=served(texts.parts["train"]))


def _other_tokens(seed: int) -> dict[str, Array]:
    """Words of another vocabulary, numbers 4 to 59, padded with 3: other_tokens (8, 8), other_padded (8, 16).

    Some rows have no padding in other_tokens: whoever reads one step too far leaves the row.
    """
    rng = np.random.default_rng([seed, 29])
    tokens = rng.integers(4, 60, size=(8, 8))
    tokens[np.arange(8) >= rng.permutation(np.arange(8) % 6 + 3)[:, None]] = 3
    return {"other_tokens": tokens, "other_padded": np.pad(tokens, ((0, 0), (0, 8)), constant_values=3)}


def _last_changed(tokens: Array) -> Array:
    """(N, L) the same sentences, each with another last word; an unknown one, number 1, is left out instead.

    Whoever takes the unknown word for padding gives the same answer with it and without.
    """
    changed = tokens.copy()
    last = (np.arange(len(tokens)), (tokens != 0).sum(axis=1) - 1)
    changed[last] = np.where(changed[last] == 2, 3, changed[last] - 1)  # 1 becomes 0, padding
    return changed
