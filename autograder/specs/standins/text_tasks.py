"""Token arrays for tasks on the emotion sentences: the real ones from a data folder, or the generated stand-in.

Rows are word numbers, int64 (N, L), right-padded with 0; 1 is an unknown word. Labels are int64 (N,), see EMOTIONS.

| array | goes to the student's process | what for |
|---|---|---|
| train_tokens, train_labels | yes | the grader's training |
| sample_tokens, sample_labels | yes; a part of the training rows | the training curve beside the other one |
| public_tokens, public_labels | yes; random words, every third row ends in 1 | checks whose errors are shown |
| padded_tokens | yes; public_tokens with twice the padding | padding must not change an answer |
| shuffled_tokens | yes; public_tokens with their words reversed | order must change an answer |
| val_tokens, test_tokens | yes, as hidden inputs | loss curve; accuracy and report |
| val_labels, test_labels | never | the judge's targets |
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.specs.standins.sentences import (
    EMOTIONS,
    PAD,
    RARE_SHARE,
    UNKNOWN,
    Sentences,
    draw,
    encode,
    every_word,
    read_emotion,
)

Array = np.ndarray[Any, Any]
PUBLIC_ROWS = 24
UNKNOWN_NUMBER = 1
SAMPLE_ROWS = 120


@dataclass(frozen=True)
class TextSizes:
    """Sentences of each part, words of a row, and how many words are known (padding and the unknown one included).

    all_words: of a folder's sentences, words that are not among the chosen training sentences are known as well.
    """

    train: int
    val: int
    test: int
    length: int
    words: int
    all_words: bool = False


@dataclass(frozen=True)
class Texts:
    """Sentences of each part and the words that are known, in the order of their numbers."""

    parts: dict[str, Sentences]
    words: tuple[str, ...]


def sentences_of(name: str, data_dir: Path | None, seed: int, sizes: TextSizes) -> Texts | None:
    """The texts of the set `standin` (generated) or `emotion` (from a folder; None if it is not there)."""
    rng = np.random.default_rng([seed, 17])
    if name == "standin":
        parts = {
            part: draw(count, rng, rare_share=RARE_SHARE["train" if part == "train" else "hidden"])
            for part, count in (("train", sizes.train), ("val", sizes.val), ("test", sizes.test))
        }
        return Texts(parts, (PAD, UNKNOWN, *every_word())[: sizes.words])
    if name == "emotion" and data_dir is not None:
        read = read_emotion(data_dir)
        if read is None:
            return None
        counts = {"train": sizes.train, "val": sizes.val, "test": sizes.test}
        parts = {part: _some(read[part], count, rng) for part, count in counts.items()}
        counted = read["train"] if sizes.all_words else parts["train"]
        often = Counter(word for text in counted.texts for word in text.split())
        return Texts(parts, (PAD, UNKNOWN, *(word for word, _ in often.most_common(sizes.words - 2))))
    return None


def token_arrays(texts: Texts, seed: int, sizes: TextSizes) -> dict[str, Array]:
    """The arrays of the table above."""
    rng = np.random.default_rng([seed, 23])
    arrays: dict[str, Array] = {}
    for part, found in texts.parts.items():
        arrays[f"{part}_tokens"] = encode(found.texts, texts.words, sizes.length)
        arrays[f"{part}_labels"] = found.labels
    arrays["sample_tokens"] = arrays["train_tokens"][:SAMPLE_ROWS]
    arrays["sample_labels"] = arrays["train_labels"][:SAMPLE_ROWS]
    lengths = rng.permutation(np.arange(PUBLIC_ROWS) % 8 + 4)  # different in every batch, never the whole row
    public = np.zeros((PUBLIC_ROWS, 12), dtype=np.int64)
    turned = public.copy()
    for row, length in enumerate(lengths):
        words = rng.choice(np.arange(2, len(texts.words)), size=length, replace=False)
        if row % 3 == 0:
            words[-1] = UNKNOWN_NUMBER
        public[row, :length], turned[row, :length] = words, words[::-1]
    arrays["public_tokens"], arrays["shuffled_tokens"] = public, turned
    arrays["padded_tokens"] = np.pad(public, ((0, 0), (0, 12)))
    arrays["public_labels"] = np.arange(PUBLIC_ROWS, dtype=np.int64) % len(EMOTIONS)
    return arrays


HIDDEN = frozenset({"val_tokens", "test_tokens"})
JUDGE_ONLY = frozenset({"val_labels", "test_labels"})


def _some(found: Sentences, count: int, rng: np.random.Generator) -> Sentences:
    index = np.sort(rng.permutation(len(found.texts))[:count])
    return Sentences(tuple(found.texts[i] for i in index), found.labels[index])
