"""Data of ccds-word2vec-emotion: files of word vectors, vocabularies to look up in them, and emotion sentences.

The set `word2vec` takes an operator's vectors, from `vectors/word2vec.txt` of the data folder (word2vec's text format,
the most frequent words first), and the real sentences beside it. The set `standin` generates both.

| array | goes to the student's process | what for |
|---|---|---|
| vectors | yes, as the model's argument | the embedding matrix of the training's vocabulary, made here |
| train_tokens, train_labels | yes | the grader's training on few sentences |
| test_tokens | yes, as hidden inputs | accuracy with and without vectors |
| test_labels | never | the judge's targets |
| twin_vectors, words, twins, … | yes; made from the seed alone | a word and its twin have the same vector |
| other_vectors, other_words, … | yes | the same in other sizes, with another number for padding |

Sentences are right-padded with 0, and 1 is the unknown word. In `words` each row is a sentence of random words. The
training sentences serve load_dataset("dair-ai/emotion").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from autograder.errors import SpecError
from autograder.specs.dataset import Case, DataSet
from autograder.specs.standins.sentences import EMOTIONS, PAD, UNKNOWN, encode, every_word, served, word_vectors
from autograder.specs.standins.text_tasks import TextSizes, sentences_of

Array = np.ndarray[Any, Any]
Rng = np.random.Generator
OWN = "word2vec"
SIZES = {
    OWN: TextSizes(train=2000, val=6, test=600, length=40, words=1000, all_words=True),
    "standin": TextSizes(train=240, val=6, test=300, length=32, words=1000),
}
MOST_LINES = 200_000  # read of an operator's file; the published ones have millions of words
COVERED = 0.8  # least share of the sentences' words that it must hold
ROWS = 24  # public sentences of random words
MISSING = ("rather", "park", "because")  # words of the sentences that the file lacks
# Spelt with and without a capital, each with a vector of its own; the last two are there in one spelling only.
SPELLINGS = ("May", "may", "US", "us", "Rose", "rose", "Will", "will", "Berlin", "window")
TINY = {"good": (0.5, 1.0, -0.5), "day": (1.0, 0.0, 0.25), "Day": (0.0, -1.0, 0.75), "rain": (-0.75, 0.5, 0.0)}
ACCENTS = ("café", "naïve", "Zürich", "zürich", "señor", "to-day", "don't", "3", "1984")  # "3" is also the count


@dataclass(frozen=True)
class Vectors:
    """A file of word vectors: its words in order and their vectors (V, d) float32, as the file has them."""

    path: str
    words: tuple[str, ...]
    rows: Array

    def text(self, *, trailing: str = "") -> bytes:
        """word2vec's text format; the original program leaves a space at the end of every line."""
        lines = [f"{len(self.words)} {self.rows.shape[1]}"]
        lines += [
            f"{word} {' '.join(f'{x:.4f}' for x in row)}{trailing}"
            for word, row in zip(self.words, self.rows, strict=True)
        ]
        return ("\n".join(lines) + "\n").encode()


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build the set `word2vec` (None if its files are not there) or `standin`. The same arguments give the same arrays.

    Raises SpecError for a file of vectors that can't be used.
    """
    if name not in SIZES:
        return None
    sizes, own = SIZES[name], data_dir / "vectors" / "word2vec.txt" if data_dir is not None else None
    if name == OWN and (own is None or not own.is_file()):
        return None
    texts = sentences_of("emotion" if name == OWN else name, data_dir, seed, sizes)
    if texts is None:
        return None
    rng = np.random.default_rng([seed, 31])
    files = _files(rng, _made(rng) if name != OWN or own is None else _read(own, texts.words[2:]))
    main = files[0]
    arrays = {"vectors": _matrix({word: number for number, word in enumerate(texts.words)}, main, sizes.words)}
    for part in ("train", "test"):
        arrays[f"{part}_tokens"] = encode(texts.parts[part].texts, texts.words, sizes.length)
        arrays[f"{part}_labels"] = texts.parts[part].labels
    arrays |= _twins(rng, "", words=20, width=9, classes=6, pad=0)
    arrays |= _twins(rng, "other_", words=15, width=7, classes=4, pad=3)
    cases = {
        "matrix_examples": _examples(files[2]),
        "matrices": _hidden_matrices(rng, files),
        "compare_examples": _compare_examples(),
        "compare": tuple(_compare_case(rng, size) for size in (1, 2, 2, 3)),
    }
    hidden = frozenset({"matrices", "compare", "test_tokens"})
    shown = {file.path: file.text(trailing=" " if file is files[1] else "") for file in files}
    shown |= served(texts.parts["train"])
    return DataSet(name, arrays, hidden, frozenset({"test_labels"}), EMOTIONS, cases, shown)


# --- files of vectors -------------------------------------------------------------------------------------------------


def _made(rng: Rng) -> dict[str, Array]:
    """Words of the generated sentences and their vectors."""
    words = [word for word in every_word() if word not in MISSING]
    return dict(zip(words, 2 * word_vectors(words, 24, rng), strict=True))


def _read(path: Path, wanted: Collection[str]) -> dict[str, Array]:
    """The wanted words of a file of vectors, and those of SPELLINGS, in its order.

    Raises SpecError naming the line that can't be read.
    """
    found: dict[str, Array] = {}
    with path.open("rb") as file:
        head = file.readline().split()
        if len(head) != 2 or not all(part.isdigit() for part in head):
            raise SpecError(f"{path}:1: not a number of words and a width", "Give word2vec's text format.")
        width, known = int(head[1]), {*wanted, *SPELLINGS} - set(MISSING)
        for number, line in enumerate(islice(file, MOST_LINES), 2):
            word, _, rest = line.partition(b" ")
            text = word.decode("utf-8", "replace")
            if text not in known or text in found:
                continue
            try:
                row = np.array(rest.split(), dtype=np.float32)
            except ValueError:
                row = np.full(0, np.nan, np.float32)
            if row.shape != (width,) or not np.isfinite(row).all():
                raise SpecError(f"{path}:{number}: not {width} numbers behind the word", "Is the file damaged?")
            found[text] = row
    if len(found) < COVERED * len(known):
        raise SpecError(
            f"{path}: {len(found)} of the sentences' {len(known)} words are among its first {MOST_LINES:,}",
            f"Take a file with at least {COVERED:.0%} of them, the most frequent words first, such as Google News'.",
        )
    return found


def _files(rng: Rng, found: dict[str, Array]) -> tuple[Vectors, Vectors, Vectors]:
    """The file of the task, a small one of another width, and the tiny one of the handout."""
    words = [word for word in found if word not in SPELLINGS]
    vectors = np.stack([found[word] for word in words])
    drawn = rng.normal(scale=round(float(vectors.std()), 1), size=(len(SPELLINGS), vectors.shape[1]))
    rows = np.concatenate([vectors, [found.get(word, row) for word, row in zip(SPELLINGS, drawn, strict=True)]])
    order = rng.permutation(len(rows))
    every = np.array([*words, *SPELLINGS])[order]
    emotion = Vectors("vectors/emotion.txt", tuple(map(str, every)), _rounded(rows[order]))
    small = Vectors("vectors/small.txt", ACCENTS, _rounded(rng.normal(size=(len(ACCENTS), 7))))
    return emotion, small, Vectors("vectors/tiny.txt", tuple(TINY), _rounded(np.array(list(TINY.values()))))


def _rounded(rows: Array) -> Array:
    return rows.round(4).astype(np.float32)


def _matrix(vocab: Mapping[str, int], file: Vectors, size: int = 0) -> Array:
    """The embedding matrix (V, d): words that the file lacks, and padding, have a row of zeros."""
    matrix = np.zeros((size or len(vocab), file.rows.shape[1]), dtype=np.float32)
    known = {word: number for number, word in enumerate(file.words)}
    for word, number in vocab.items():
        found = known.get(word, known.get(word.lower()))
        if found is not None:
            matrix[number] = file.rows[found]
    return matrix


# --- calls of embedding_matrix ----------------------------------------------------------------------------------------


def _lookup(file: Vectors, vocab: Mapping[str, int], group: str, label: str = "") -> Case:
    """One call. Expected: matrix (V, d), NaN in the rows of words that the file lacks; the file's vectors beside it."""
    matrix = _matrix(vocab, file)
    known = set(file.words)
    for word, number in vocab.items():
        if word != PAD and word not in known and word.lower() not in known:
            matrix[number] = np.nan
    expected = {"rows": matrix, "pad": vocab[PAD], "file": file.rows}
    return Case((dict(vocab), file.path), expected=expected, size=len(vocab), group=group, label=label)


def _examples(tiny: Vectors) -> tuple[Case, ...]:
    return (
        _lookup(tiny, {PAD: 0, UNKNOWN: 1, "good": 2, "rain": 3}, "known", "numbers in order"),
        _lookup(tiny, {"rain": 4, "good": 2, PAD: 0, "snow": 3, UNKNOWN: 1}, "unknown", "a word that is not there"),
        _lookup(
            tiny, {PAD: 0, UNKNOWN: 1, "Day": 2, "Good": 3, "day": 4, "RAIN": 5}, "capitals", "capitals in the words"
        ),
    )


def _hidden_matrices(rng: Rng, files: Sequence[Vectors]) -> tuple[Case, ...]:
    main, small, _ = files
    ends = [main.words[0], main.words[-1]]
    lower = [word for word in main.words if word not in SPELLINGS and word not in ends]
    some = [str(word) for word in rng.permutation(lower)]
    absent = ["xylophone", *MISSING, "quokka"]
    capitals = ["Happy", "SAD", "May", "may", "US", "us", "WILL", "Rose", "Window", "Berlin", "berlin", "Quokka"]
    cases = [
        _lookup(small, _numbered(rng, [*small.words], shuffled=False), "known"),
        _lookup(main, _numbered(rng, [*some[:30], *ends]), "known"),
        _lookup(main, _numbered(rng, [*some[30:90], *ends], first=False), "known"),
        _lookup(small, _numbered(rng, [*small.words[2:6], "zebra"]), "unknown"),
        _lookup(main, _numbered(rng, [*some[:20], *absent]), "unknown"),
        _lookup(small, _numbered(rng, ["ZÜRICH", "Zürich", "Café", "zürich", "TO-DAY"]), "capitals"),
        _lookup(main, _numbered(rng, [*some[:10], *capitals]), "capitals"),
    ]
    return tuple(sorted(cases, key=lambda case: case.size))


def _numbered(rng: Rng, words: Sequence[str], *, shuffled: bool = True, first: bool = True) -> dict[str, int]:
    """A vocabulary of these words, padding and the unknown word. shuffled: the dict has another order than the numbers.

    first: padding is number 0.
    """
    every = [UNKNOWN, *words] if first else [UNKNOWN, *words[:3], PAD, *words[3:]]
    numbered = {word: number for number, word in enumerate([PAD, *every] if first else every)}
    order = list(rng.permutation(list(numbered))) if shuffled else list(numbered)
    return {str(word): numbered[str(word)] for word in order}


# --- twins ------------------------------------------------------------------------------------------------------------


def _twins(rng: Rng, prefix: str, *, words: int, width: int, classes: int, pad: int) -> dict[str, Array]:
    """Sentences (N, 12) of random words, and of their twins: other numbers with the same vectors.

    `…vectors` (2·words + 2, width) has zeros at `pad`. `…padded`: with twice the padding; `…shuffled`: reversed words;
    `…last_changed`: another last word. Every third row ends in 1, the unknown word, which is its own twin;
    `…last_changed` leaves it out there. Some rows of those with a prefix have no padding at all.
    """
    numbers = rng.permutation([number for number in range(2 * words + 2) if number not in (pad, 1)])
    one, two = numbers[:words], numbers[words:]
    vectors = np.zeros((2 * words + 2, width), dtype=np.float32)
    vectors[one] = vectors[two] = rng.normal(size=(words, width))
    vectors[1] = rng.normal(size=width)
    longest = 12 if prefix else 11
    lengths = rng.permutation(longest - np.arange(ROWS) % 8)
    rows = {name: np.full((ROWS, 12), pad, dtype=np.int64) for name in ("words", "twins", "shuffled", "last_changed")}
    for row, length in enumerate(lengths):
        chosen = rng.permutation(words)[:length]
        said, meant = one[chosen], two[chosen]
        changed = one[[*chosen[:-1], (chosen[-1] + 1) % words]]
        if row % 3 == 0:
            said[-1], meant[-1], changed[-1] = 1, 1, pad
        rows["words"][row, :length], rows["twins"][row, :length] = said, meant
        rows["shuffled"][row, :length], rows["last_changed"][row, :length] = said[::-1], changed
    rows["padded"] = np.pad(rows["words"], ((0, 0), (0, 12)), constant_values=pad)
    labels = np.arange(ROWS, dtype=np.int64) % classes
    named = {(prefix or "twin_") + "vectors": vectors, f"{prefix}random_labels": labels}
    return {**named, **{prefix + name: found for name, found in rows.items()}}


# --- calls of compare -------------------------------------------------------------------------------------------------


def _compare_examples() -> tuple[Case, ...]:
    targets = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    return (
        _compared(targets, {"word2vec": targets}, "all right"),
        _compared(
            targets,
            {"torch": np.array([0, 0, 0, 1, 1, 1, 0, 2]), "word2vec": np.array([0, 0, 0, 0, 1, 0, 0, 0])},
            "two models, one of which never says 2",
        ),
    )


def _compare_case(rng: Rng, models: int) -> Case:
    """Uneven classes; drawn until macro F1 lies apart from the weighted one, from the accuracy and the other models."""
    while True:
        share = rng.permutation(0.6 ** np.arange(6))
        targets = np.concatenate([np.arange(6), rng.choice(6, size=170, p=share / share.sum())])
        rng.shuffle(targets)
        names = [str(name) for name in rng.permutation(["word2vec", "torch embedding", "one-hot", "baseline"])[:models]]
        predictions = {
            name: _guesses(rng, targets, strength) for name, strength in zip(names, (0.8, 0.6, 0.4), strict=False)
        }
        if all(_apart(targets, said) for said in predictions.values()):
            return _compared(targets, predictions)


def _guesses(rng: Rng, targets: Array, strength: float) -> Array:
    """Predictions, right with this probability; the rarest class is never predicted."""
    rarest = int(np.bincount(targets, minlength=6).argmin())
    guesses = np.where(rng.random(len(targets)) < strength, targets, rng.integers(6, size=len(targets)))
    return np.where(guesses == rarest, (rarest + 1) % 6, guesses)


def _apart(targets: Array, said: Array) -> bool:
    macro, weighted = (f1_score(targets, said, average=average, zero_division=0) for average in ("macro", "weighted"))
    accuracy = float((targets == said).mean())
    return min(abs(macro - weighted), abs(macro - accuracy), abs(weighted - accuracy)) > 0.01


def _compared(targets: Array, predictions: Mapping[str, Array], label: str = "") -> Case:
    expected = {
        name: {
            "accuracy": float((targets == said).mean()),
            "f1": float(f1_score(targets, said, average="macro", zero_division=0)),
        }
        for name, said in predictions.items()
    }
    arguments = (targets.astype(np.int64), {name: said.astype(np.int64) for name, said in predictions.items()})
    return Case(arguments, expected=expected, size=len(predictions), label=label)
