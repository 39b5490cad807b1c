"""The generated sentences keep what the text tasks are about: class words, order, lengths, rare words, vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.errors import SpecError
from autograder.specs.standins import sentences as made


def drawn(count: int, rare_share: float = 0.0, two_share: float = 0.5) -> made.Sentences:
    return made.draw(count, np.random.default_rng(3), rare_share=rare_share, two_share=two_share)


def test_the_same_seed_gives_the_same_sentences_and_classes_are_balanced() -> None:
    one, two = drawn(120), drawn(120)
    assert one.texts == two.texts
    assert np.bincount(one.labels).tolist() == [20] * 6


@pytest.mark.parametrize(("two_share", "least", "most"), [(0.0, 0.99, 1.0), (0.5, 0.6, 0.9)])
def test_a_bag_of_words_tells_one_emotion_but_not_which_of_two_counts(
    two_share: float, least: float, most: float
) -> None:
    data = drawn(1200, two_share=two_share)
    counts = CountVectorizer(token_pattern=r"\S+").fit_transform(data.texts)
    model = LogisticRegression(max_iter=2000).fit(counts[:800], data.labels[:800])
    assert least <= model.score(counts[800:], data.labels[800:]) <= most


def test_rare_words_come_as_often_as_asked() -> None:
    rare = {word for words in made.RARE.values() for word in words}
    share = np.mean([bool(rare & set(text.split())) for text in drawn(600, rare_share=0.25, two_share=0).texts])
    assert 0.2 < share < 0.3


def test_encoding_pads_on_the_right_cuts_and_knows_unknown_words() -> None:
    rows = made.encode(["i feel sad", "i feel very very sad"], (made.PAD, made.UNKNOWN, "feel", "i", "sad"), 4)
    assert rows.tolist() == [[3, 2, 4, 0], [3, 2, 1, 1]]


def test_every_word_is_known_and_every_piece_is_in_the_vocabulary() -> None:
    words = set(made.every_word())
    assert all(set(text.split()) <= words for text in drawn(600, rare_share=0.3).texts)
    vocabulary = made.word_pieces()
    assert len(vocabulary) == len(set(vocabulary))
    assert set(made.PIECES) <= words
    assert not set(made.PIECES) & set(vocabulary)
    assert {part for pair in made.PIECES.values() for part in pair} <= set(vocabulary)


def test_vectors_of_one_emotion_lie_near_each_other() -> None:
    words = (made.PAD, *made.every_word())
    vectors = made.word_vectors(words, 50, np.random.default_rng(0))

    def cosine(a: str, b: str) -> float:
        x, y = vectors[words.index(a)], vectors[words.index(b)]
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))

    assert not vectors[0].any()
    assert cosine("happy", "thrilled") > 0.6
    assert abs(cosine("happy", "gloomy")) < 0.5


def test_real_sentences_are_read_where_they_are(tmp_path: Path) -> None:
    assert made.read_emotion(tmp_path) is None
    (tmp_path / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (tmp_path / "emotion" / f"{part}.txt").write_text("i feel low;sadness\ni am glad; really;joy\n")
    read = made.read_emotion(tmp_path)
    assert read is not None
    assert read["val"].texts == ("i feel low", "i am glad; really")
    assert read["val"].labels.tolist() == [0, 5]


@pytest.mark.parametrize(
    ("lines", "place", "advice"),
    [
        (b"i feel low;sadness\n\ni am glad;jooy\n", r"train.txt:3: there is no label 'jooy'", "Did you mean 'joy'?"),
        (b"i feel low;sadness\ni am glad;4\n", r"train.txt:2: there is no label '4'", "Known here: anger, fear, joy"),
        (b"i am glad;joy \n", r"train.txt:1: there is no label 'joy '", "Did you mean 'joy'?"),
        (b"i feel low;sadness\ni am glad\n", r"train.txt:2: no label", "text;label, with one of the labels sadness"),
        (b"i feel low;sadness\ncaf\xe9;joy\n", r"train.txt:2: is not UTF-8", "UTF-8"),
    ],
)
def test_a_file_of_sentences_that_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, lines: bytes, place: str, advice: str
) -> None:
    (tmp_path / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (tmp_path / "emotion" / f"{part}.txt").write_bytes(lines)
    with pytest.raises(SpecError, match=place) as refused:
        made.read_emotion(tmp_path)
    assert advice in refused.value.hint


def test_empty_lines_between_sentences_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (tmp_path / "emotion" / f"{part}.txt").write_bytes(b"i feel low;sadness\r\n\r\n  \r\nglad;joy")
    read = made.read_emotion(tmp_path)
    assert read is not None
    assert read["test"].texts == ("i feel low", "glad")
    assert read["test"].labels.dtype == np.int64
