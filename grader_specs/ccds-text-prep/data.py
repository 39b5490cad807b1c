"""Cases of ccds-text-prep: public examples, and texts, words and vectors drawn at random.

The answers come from other ways than a student's: characters are looked at one by one, endings are regular
expressions, words are counted and angles measured by scikit-learn. Lists named `…_examples` are public, the others
hidden; each is ordered by size. Groups tell what a case is about: rules of `stem` by their number, `plain` texts, lists
and documents from those with capitals, hyphens and so on; vectors that are `zeros`, those that only add up to zero
(`sums`), and `lengths` (which must raise).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import pairwise

from autograder.specs.dataset import Case, DataSet

Rng = np.random.Generator
RANDOM = 40  # cases of a hidden list
SEPARATORS = (
    " ",
    " ",
    ", ",
    ". ",
    "--",
    " - ",
    "! ",
    "\n",
    "\t",
    "/",
    "'s ",
    "' ",
    " '",
    '"',
    "_",
    "-",
    "'",
    "; (",
    "-'",
)
# Between two words: what joins them, and what only looks as if.
JOINED = ("-", "'")
LOOSE = ("--", "-'", " -", "- ", "''", " '", "' ", "_", "/", ".")

COURSE = (
    "Text mining is to identify useful information.",
    "Useful information is mined from text.",
    "Apple is delicious.",
)
TEXT_EXAMPLES = (
    "...",
    "Apple is delicious.",
    "to be or not to be",
    "a net of 2 nets",
    "To be or not to BE",
    "It's not straight-forward.",
    '"so-called" tests--really?',
    "3 models,2 GPUs",
    "a_b 'quoted' x- -y",
    "state-of-the-art\n\tnets' loss: 0.5",
    *COURSE[:2],
)
STOPWORDS = ["the", "and", "a", "I", "is", "to", "of", "it", "not", "this", "on", "with", "from", "At", "BY"]
STOPWORD_EXAMPLES: tuple[tuple[list[str], list[str]], ...] = (
    ([], ["the"]),
    (["model"], []),
    (["the", "model"], ["the"]),
    (["The", "Model"], ["the"]),
    (["i", "think"], ["I", "the"]),
    (["to", "be", "or", "not", "to", "be"], ["to", "be", "or"]),
    (["is", "is", "the", "the", "net", "net"], ["the", "is"]),
    (["theory", "of", "the", "oft"], ["the", "of"]),
)
STEM_EXAMPLES = """gas bed class classes ladies models corpus analysis mining walked quickly referring planned falling
    string need only ties stresses buzzed seeing played news added stems sings"""
# Roots at the edges of the rules: too short, without a vowel, with y alone, with twins, with an ending of another rule;
# each is met with every ending.
ROOTS = (
    *("", "e", "ne", "re", "bl", "str", "thr", "dry", "hymn", "sto", "add", "fall", "miss", "buzz", "plann", "free"),
    "dearly",
)
ENDINGS = ("", "s", "es", "sses", "ies", "ss", "us", "is", "ing", "ings", "ed", "ly", "ily", "y")
BAG_EXAMPLES: tuple[list[list[str]], ...] = (
    [["net"]],
    [["b", "a", "b"]],
    [["a"], []],
    [["Net", "net"], ["net", "nets", "net", "a"]],
    [re.findall("[a-z]+", text.lower()) for text in COURSE],
)
VECTOR_EXAMPLES: tuple[tuple[list[float], list[float]], ...] = (
    ([1], [1]),
    ([3, 0], [0, 4]),
    ([1, 1], [2, 2]),
    ([1, 2], [-1, -2]),
    ([1, 2, 2], [2, 1, 2]),
    ([0.5, -1.5, 2.0], [1.0, 0.25, -0.75]),
)
SUM_EXAMPLES: tuple[tuple[list[float], list[float]], ...] = (([1, -1], [2, -1]), ([2, 1], [-3, 3]))


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """The one data set, `standin`. The same arguments give the same cases."""
    if name != "standin":
        return None
    rng = np.random.default_rng([seed, 11])
    angle, distance = _zero_safe_cosine, math.dist
    lists = {
        "text_examples": map(_text_case, TEXT_EXAMPLES),
        "texts": (_text_case(text) for text in _draw_texts(rng)),
        "stopword_examples": (_stopword_case(*call) for call in STOPWORD_EXAMPLES),
        "stopwords": (_stopword_case(*_draw_stopwords(rng, small=n % 4 == 0)) for n in range(RANDOM)),
        "stem_examples": map(_stem_case, STEM_EXAMPLES.split()),
        "stems": map(_stem_case, [*(r + e for r in ROOTS for e in ENDINGS), *_draw_words(rng)]),
        "bag_examples": map(_bag_case, BAG_EXAMPLES),
        "bags": (_bag_case(_draw_documents(rng, small=n % 4 == 0)) for n in range(RANDOM)),
        "cosine_examples": _public_vectors(angle),
        "cosines": _hidden_vectors(angle, rng),
        "distance_examples": _public_vectors(distance),
        "distances": _hidden_vectors(distance, rng),
    }
    cases = {key: tuple(sorted(found, key=lambda case: case.size)) for key, found in lists.items()}
    return DataSet(
        name=name, cases=cases, hidden=frozenset({"texts", "stopwords", "stems", "bags", "cosines", "distances"})
    )


# --- words ------------------------------------------------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    """The tokens: characters that belong to no word become spaces."""
    small = f" {text.lower()} "
    letter = [character.isascii() and character.isalnum() for character in small]
    kept = [
        character if letter[at] or (character in "-'" and letter[at - 1] and letter[at + 1]) else " "
        for at, character in enumerate(small[:-1])
    ]
    return "".join(kept).split()


def stem_of(word: str) -> str:
    """The stem by the handout's rules."""
    return _rule_and_stem(word)[1]


def _rule_and_stem(word: str) -> tuple[int, str]:
    """Number and outcome of the first of these expressions that matches the whole word; 0 if none does."""
    vowel, twice = "[aeiouy]", r"([bcdfghjkmnpqrtvwx])\1"
    rules = (
        (r"(.{0,3})", r"\1"),
        (r"(.*ss)es", r"\1"),
        (r"(.*)ies", r"\1y"),
        (r"(.*(?:ss|us|is))", r"\1"),
        (r"(.*)s", r"\1"),
        (rf"(?=.{{3,}}(?:ing|ed)$)(?=.*{vowel}.*(?:ing|ed)$)(.*)(?:ing|ed)", r"\1"),
        (r"(.{3,})ly", r"\1"),
    )
    for number, (pattern, replacement) in enumerate(rules, start=1):
        if re.fullmatch(pattern, word):
            short = re.sub(f"^{pattern}$", replacement, word)
            return number, re.sub(f"{twice}$", r"\1", short) if number == 6 else short
    return 0, word


def _text_case(text: str) -> Case:
    """Groups: joined and loose by hyphens, apostrophes and what is between words; of the rest capitals, plain."""
    words = words_of(text)
    if any(mark in word for word in words for mark in JOINED):
        group = "joined"
    elif text.lower().split() != words:
        group = "loose"
    else:
        group = "plain" if text.split() == words else "capitals"
    return Case(arguments=(text,), expected=words, size=float(len(text)), group=group)


def _stem_case(word: str) -> Case:
    rule, stem = _rule_and_stem(word)
    return Case(arguments=(word,), expected=stem, size=float(len(word)), group=f"rule_{rule}" if rule else "no_rule")


def _stopword_case(tokens: list[str], stopwords: list[str]) -> Case:
    dropped = {word.casefold() for word in stopwords}
    expected = [token for token in tokens if token.casefold() not in dropped]
    group = "plain" if _small(tokens) and _small(stopwords) else "capitals"
    return Case(arguments=(tokens, stopwords), expected=expected, size=float(len(tokens) + len(stopwords)), group=group)


def _bag_case(documents: list[list[str]]) -> Case:
    counter = CountVectorizer(analyzer=list)
    counts = counter.fit_transform(documents).toarray().astype(np.int64)
    expected = (counter.get_feature_names_out().tolist(), counts)
    group = "empty" if not all(documents) else "plain" if all(map(_small, documents)) else "capitals"
    return Case(arguments=(documents,), expected=expected, size=float(sum(map(len, documents))), group=group)


def _small(words: list[str]) -> bool:
    return all(word == word.lower() for word in words)


def _syllables(rng: Rng, least: int = 1, most: int = 3) -> str:
    consonants, vowels = list("bcdfghjklmnpqrstvwxz"), list("aeiouy")
    return "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.integers(least, most + 1)))


def _draw_words(rng: Rng) -> Iterable[str]:
    """Syllables with an ending, some with a doubled letter before it."""
    for _ in range(2 * RANDOM):
        stem = str(rng.choice(["", "s", "in"])) + _syllables(rng, 1, 2)
        last = str(rng.choice(list("bdgmnprtlsz")))
        yield stem + str(rng.choice(["", last, last + last])) + str(rng.choice(ENDINGS))


def _draw_texts(rng: Rng) -> Iterable[str]:
    """Mixed ones, and short ones of which each is about one thing."""
    yield from (_draw_text(rng) for _ in range(RANDOM))

    def word() -> str:
        return _syllables(rng)

    for _ in range(4):
        again = word()
        yield " ".join([again, str(rng.choice(list("abcinxs"))), str(rng.integers(10)), word(), again])
        yield " ".join([word().capitalize(), str(rng.choice(list("AIX"))), word().upper()])
    yield from (word() + mark + word() for mark in (*JOINED, *LOOSE))
    yield from (word() + first + word() + last + str(rng.integers(9)) for first in JOINED for last in JOINED)


def _draw_text(rng: Rng) -> str:
    parts = []
    for _ in range(rng.integers(1, 13)):
        word = str(rng.integers(0, 2000)) if rng.random() < 0.15 else _syllables(rng)
        if parts and rng.random() < 0.2:
            word = str(rng.choice(parts[::2])).lower()  # words come again
        style = rng.integers(4)
        parts.append(word.upper() if style == 0 else word.capitalize() if style == 1 else word)
        parts.append(str(rng.choice(SEPARATORS)))
    return "".join(parts)


def _draw_stopwords(rng: Rng, *, small: bool) -> tuple[list[str], list[str]]:
    """Tokens and stop words in all spellings, or `small`; half of the tokens are stop words, often several in a row."""
    stopwords = [str(word) for word in rng.permutation(STOPWORDS)[: rng.integers(1, 9)]]
    words = [_syllables(rng) for _ in range(4)] + [stopwords[0].lower() + "me", "un" + stopwords[0].lower()]
    tokens = [str(rng.choice(stopwords if rng.random() < 0.5 else words)) for _ in range(rng.integers(1, 16))]
    spell: list[Callable[[str], str]] = [str, str.lower, str.upper, str.capitalize]
    if small:
        return [token.lower() for token in tokens], [word.lower() for word in stopwords]
    return [spell[rng.integers(4)](token) for token in tokens], stopwords


def _draw_documents(rng: Rng, *, small: bool) -> list[list[str]]:
    """One to five documents over few words, so that words repeat; a later one may be empty. small: neither that nor
    words with capitals.
    """
    words = [_syllables(rng) for _ in range(rng.integers(1, 8))] + ["net", "nets", "it's", *(() if small else ["Net"])]
    documents = [[str(word) for word in rng.choice(words, size=rng.integers(1, 9))]]
    least, more = int(small), rng.integers(0, 5)
    documents += [[str(word) for word in rng.choice(words, size=rng.integers(least, 9))] for _ in range(more)]
    return [documents[at] for at in rng.permutation(len(documents))]


# --- vectors ----------------------------------------------------------------------------------------------------------


def _zero_safe_cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """scikit-learn's cosine, which is 0 where a vector has no length."""
    return float(pairwise.cosine_similarity(np.array([a], float), np.array([b], float))[0, 0])


def _vector_case(measure: Callable[[Any, Any], float], a: Any, b: Any, group: str = "vectors") -> Case:
    return Case(arguments=(a, b), expected=float(measure(a, b)), size=float(len(a)), group=group)


def _unequal(a: Any, b: Any) -> Case:
    return Case(arguments=(a, b), raises=("ValueError",), size=float(len(a) + len(b)), group="lengths")


def _public_vectors(measure: Callable[[Any, Any], float]) -> Iterable[Case]:
    yield from (_vector_case(measure, a, b) for a, b in VECTOR_EXAMPLES)
    yield _vector_case(measure, np.array([1.0, 2.0]), np.array([2.0, 1.0]))
    yield from (_vector_case(measure, a, b, "sums") for a, b in SUM_EXAMPLES)
    yield _vector_case(measure, [0, 0], [1, 2], "zeros")
    for short, long in ((1, 2), (2, 3), (1, 5), (4, 6)):  # numpy would stretch a vector of length 1
        a, b = np.arange(1.0, short + 1), np.arange(2.0, long + 2)
        yield from (_unequal(a, b), _unequal(b.tolist(), a.tolist()))


def _hidden_vectors(measure: Callable[[Any, Any], float], rng: Rng) -> Iterable[Case]:
    """Lists and arrays, whole and real numbers, parallel and opposite ones; zeros on either side."""
    for number in range(RANDOM):
        length = int(rng.integers(1, 12))
        a, b = rng.normal(scale=10 ** rng.uniform(-2, 3), size=(2, length)).round(4)
        if number % 3 == 1:
            a, b = rng.integers(0, 5, size=(2, length)) + np.eye(1, length, dtype=np.int64)[0]
        if number % 8 == 2:
            b = a * 3.0 if number % 16 == 2 else a * -0.5
        yield _vector_case(measure, *((a, b) if number % 2 else (a.tolist(), b.tolist())))
    for length in (1, 2, 5):
        zeros, other = np.zeros(length), rng.normal(size=length).round(4)
        for a, b in ((zeros, other), (other, zeros), (zeros, zeros)):
            yield _vector_case(measure, a, b, "zeros")
            yield _vector_case(measure, a.tolist(), b.tolist(), "zeros")
    for length in (2, 3, 5, 8):
        balanced, other = rng.integers(1, 50, size=(2, length)) / 8.0  # eighths add up exactly
        balanced[-1] -= balanced.sum()
        for a, b in ((balanced, other), (other, balanced)):
            yield _vector_case(measure, a, b, "sums")
            yield _vector_case(measure, a.tolist(), b.tolist(), "sums")
    yield _vector_case(measure, [3, -1, -2], [1, 0, -1], "sums")
