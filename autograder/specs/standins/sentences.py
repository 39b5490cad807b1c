"""Sentences about six emotions, generated: the class words are planted, their order matters, lengths differ.

A sentence names one emotion, or two of which only the later one in time counts ("i was angry but now i feel sad" and
"i feel sad now although i was angry" are both sadness): a bag of words can't tell those apart, a model that reads the
order can. Some class words are rare: they occur in the hidden parts and hardly in the training part, so that word
vectors given from outside help.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.errors import SpecError
from autograder.specs.source import suggest

Array = np.ndarray[Any, Any]

EMOTIONS = ("sadness", "anger", "love", "surprise", "fear", "joy")
COMMON: Mapping[str, tuple[str, ...]] = {
    "sadness": ("sad", "depressed", "gloomy", "lonely"),
    "anger": ("angry", "furious", "annoyed", "bitter"),
    "love": ("loving", "fond", "tender", "caring"),
    "surprise": ("amazed", "surprised", "stunned", "astonished"),
    "fear": ("afraid", "scared", "shy", "nervous"),
    "joy": ("happy", "joyful", "cheerful", "delighted"),
}
RARE: Mapping[str, tuple[str, ...]] = {
    "sadness": ("miserable", "heartbroken"),
    "anger": ("outraged", "resentful"),
    "love": ("adoring", "devoted"),
    "surprise": ("startled", "dumbfounded"),
    "fear": ("terrified", "anxious"),
    "joy": ("thrilled", "jolly"),
}
FILLERS = tuple(
    word
    for phrase in (
        "really so very quite a bit rather today this morning evening at home",
        "work school with my friends family in the park and still about it all",
        "when we talk of old times after long day because people around me",
    )
    for word in phrase.split()
)

_ONE = (
    "i feel {word}",
    "i am feeling {word}",
    "today i feel so {word}",
    "it makes me feel {word}",
    "i have been {word}",
    "they left me feeling {word}",
)
_TWO = (
    "i was {other} but now i feel {word}",
    "i feel {word} now although i was {other}",
    "i used to be {other} yet today i am {word}",
    "today i am {word} though i used to be {other}",
    "once {other} i ended up feeling {word}",
    "i ended up feeling {word} once i was no longer {other}",
)
RARE_SHARE = {"train": 0.03, "hidden": 0.25}
PAD, UNKNOWN = "<pad>", "<unk>"
PIECES: Mapping[str, tuple[str, str]] = {  # class words that a word-piece vocabulary holds in two parts only
    "depressed": ("depress", "##ed"),
    "lonely": ("lone", "##ly"),
    "heartbroken": ("heart", "##broken"),
    "outraged": ("outrage", "##d"),
    "resentful": ("resent", "##ful"),
    "astonished": ("astonish", "##ed"),
    "startled": ("startle", "##d"),
    "dumbfounded": ("dumb", "##founded"),
    "joyful": ("joy", "##ful"),
    "cheerful": ("cheer", "##ful"),
}


@dataclass(frozen=True)
class Sentences:
    """Texts and their labels (N,) int64, indices into EMOTIONS."""

    texts: tuple[str, ...]
    labels: Array


def draw(count: int, rng: np.random.Generator, *, rare_share: float, two_share: float = 0.5) -> Sentences:
    """`count` sentences of balanced classes. two_share: how many name a second emotion, which does not count."""
    labels = rng.permutation(np.arange(count) % len(EMOTIONS)).astype(np.int64)
    texts = [_sentence(int(label), rng, rare_share, two_share) for label in labels]
    return Sentences(tuple(texts), labels)


def _sentence(label: int, rng: np.random.Generator, rare_share: float, two_share: float) -> str:
    word = _class_word(EMOTIONS[label], rng, rare_share)
    if rng.random() < two_share:
        others = [name for i, name in enumerate(EMOTIONS) if i != label]
        other = _class_word(others[rng.integers(len(others))], rng, rare_share)
        core = _TWO[rng.integers(len(_TWO))].format(word=word, other=other)
    else:
        core = _ONE[rng.integers(len(_ONE))].format(word=word)
    return " ".join([*_filler(rng, 4), core, *_filler(rng, 8)])


def _class_word(emotion: str, rng: np.random.Generator, rare_share: float) -> str:
    words = RARE[emotion] if rng.random() < rare_share else COMMON[emotion]
    return words[rng.integers(len(words))]


def _filler(rng: np.random.Generator, most: int) -> list[str]:
    return [FILLERS[i] for i in rng.integers(len(FILLERS), size=rng.integers(0, most + 1))]


def vocabulary(texts: Iterable[str]) -> tuple[str, ...]:
    """Padding (index 0), the unknown word (index 1), then every word of the texts in alphabetical order."""
    return (PAD, UNKNOWN, *sorted({word for text in texts for word in text.split()}))


def served(known: Sentences, classes: Sequence[str] = EMOTIONS) -> dict[str, bytes]:
    """Files of a task that serve load_dataset("dair-ai/emotion") in a submission (docs/writing-a-spec.md).

    known: sentences that students may have; the last tenth becomes validation and test. classes: names of the labels.
    """
    rows = [
        json.dumps({"text": text, "label": int(label)}) for text, label in zip(known.texts, known.labels, strict=True)
    ]
    tenth = len(rows) // 20
    ends = (0, len(rows) - 2 * tenth, len(rows) - tenth, len(rows))
    parts = zip(("train", "validation", "test"), ends, ends[1:], strict=False)
    files = {part: "".join(f"{row}\n" for row in rows[start:end]).encode() for part, start, end in parts}
    return {
        "datasets/emotion/features.json": json.dumps({"label": list(classes)}).encode(),
        **{f"datasets/emotion/{part}.jsonl": content for part, content in files.items()},
    }


def every_word() -> tuple[str, ...]:
    """Every word that a generated sentence can hold, in alphabetical order."""
    templates = " ".join([*_ONE, *_TWO]).replace("{word}", "").replace("{other}", "")
    classes = [word for words in (*COMMON.values(), *RARE.values()) for word in words]
    return tuple(sorted({*templates.split(), *FILLERS, *classes}))


def word_pieces() -> tuple[str, ...]:
    """A BERT vocabulary for the generated sentences: special tokens, whole words, and the words of PIECES in parts."""
    whole = [word for word in every_word() if word not in PIECES]
    parts = sorted({part for pair in PIECES.values() for part in pair} - set(whole))
    return ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *whole, *parts)


def encode(texts: Sequence[str], words: Sequence[str], length: int) -> Array:
    """Token ids (N, length) int64: right-padded with 0, cut at `length`, unknown words 1."""
    index = {word: i for i, word in enumerate(words)}
    rows = np.zeros((len(texts), length), dtype=np.int64)
    for row, text in enumerate(texts):
        ids = [index.get(word, 1) for word in text.split()[:length]]
        rows[row, : len(ids)] = ids
    return rows


def word_vectors(words: Sequence[str], dimensions: int, rng: np.random.Generator) -> Array:
    """Vectors (len(words), dimensions) float32: words of one emotion lie near each other, all others anywhere.

    The row of PAD is zero. Stands in for word2vec's: related words have a cosine of about 0.8, others about 0.
    """
    centres = {name: _unit(rng.standard_normal(dimensions)) for name in EMOTIONS}
    home = {word: name for name in EMOTIONS for word in (*COMMON[name], *RARE[name])}
    rows = np.empty((len(words), dimensions), dtype=np.float32)
    for row, word in enumerate(words):
        vector = _unit(rng.standard_normal(dimensions))
        if word in home:
            vector = _unit(2 * centres[home[word]] + vector)
        rows[row] = 0 if word == PAD else vector
    return rows


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def read_emotion(folder: Path) -> dict[str, Sentences] | None:
    """The emotion sentences of a data folder (`emotion/{train,val,test}.txt`); None if not there.

    A line is `text;label`; empty ones are left out. Raises SpecError with path and line if a file can't be used.
    """
    files = {part: folder / "emotion" / f"{part}.txt" for part in ("train", "val", "test")}
    if not all(path.is_file() for path in files.values()):
        return None
    return {part: _read(path) for part, path in files.items()}


def _read(path: Path) -> Sentences:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}:{line}: is not UTF-8 text", "Save the file as UTF-8.") from error
    rows = [_row(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    return Sentences(tuple(text for text, _ in rows), np.array([label for _, label in rows], dtype=np.int64))


def _row(place: str, line: str) -> tuple[str, int]:
    """The text of a line and its label's number. Raises SpecError."""
    text, found, label = line.rpartition(";")
    if not found:
        raise SpecError(f"{place}: no label", f"A line is text;label, with one of the labels {', '.join(EMOTIONS)}.")
    if label not in EMOTIONS:
        raise SpecError(f"{place}: there is no label {label[:40]!r}", suggest(label[:40], EMOTIONS))
    return text, EMOTIONS.index(label)
