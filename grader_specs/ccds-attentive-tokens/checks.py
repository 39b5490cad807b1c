"""Checks of this task alone: the top word of one sentence, and how many words a class has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._answers import Answer, answers, by_name, raised, ranking, word
from autograder.checks._values import is_clean, number
from autograder.checks.attentive_tokens import SPECIAL
from autograder.checks.base import Check, Context, Params, failed, partial, passed
from autograder.model import Observation, Outcome

KEYS = (("class", "label", "predicted_class", "prediction"), ("token", "word"), ("score", "attention"))


class SentenceTokensParams(Params):
    """How close a score must be."""

    tolerance: float = Field(1e-3, gt=0, description="Largest difference of a score.")
    scores: float = Field(0.5, ge=0, lt=1, description="Share of the points if only the scores are wrong.")


class SentenceTokens(Check):
    """(predicted class, word, score) of each sentence, by one documented way of adding attention up for all of them.

    A case expects {"label", "length" (tokens), "ways": {way: [[word, score]]}, "mistakes": the same of wrong ways}, one
    pair a way unless words tie.
    """

    kind: ClassVar[str] = "sentence_tokens"
    title: ClassVar[str] = "Top word of a sentence"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = SentenceTokensParams

    def judge(self, observation: Observation, context: Context, params: SentenceTokensParams) -> Outcome:
        """Form, then classes, then words, then scores."""
        given = answers(observation, context)
        if not given or not all(isinstance(a.expected, Mapping) for a in given):
            return failed("No answers came back.", "Return (class, word, score) for a sentence.")
        rows = []
        for answer in given:
            row, trouble = _read(answer)
            if row is None:
                return failed(*trouble)
            rows.append(row)
        labels = sum(row[0] not in _names(a.expected["label"], context) for row, a in zip(rows, given, strict=True))
        if labels:
            return failed(
                f"The class of {labels} of {len(given)} sentences is not the one that the model predicts.",
                "The index of the largest logit, in eval mode, with the attention mask.",
            )
        return _judge_words(rows, given, params)


def _judge_words(
    rows: Sequence[tuple[str, str, float]], given: Sequence[Answer], params: SentenceTokensParams
) -> Outcome:
    """The way that explains most of all words, and then of all scores."""
    fits = {way: _fits(way, rows, given, params) for way in given[0].expected["ways"]}
    way = max(fits, key=lambda name: fits[name])
    words, scores = fits[way]
    mistake = _mistake(rows, given, params) if scores < len(given) else ""
    if words < len(given):
        return failed(
            f"{len(given) - words} of {len(given)} words are not the top ones by the closest way of adding up ({way}).",
            mistake
            or "Average the heads, take the row of [CLS] or the mean of the columns, put pieces together, leave out "
            "special tokens, take the largest.",
        )
    if scores < len(given):
        return partial(
            params.scores,
            f"The words are right ({way}), the scores of {len(given) - scores} of {len(given)} are not.",
            mistake
            or "The score is the word's attention itself, not rescaled: the sum (or the largest) of its pieces.",
        )
    return passed(f"All {len(given)} words and scores agree with “{way}”.")


def _mistake(rows: Sequence[tuple[str, str, float]], given: Sequence[Answer], params: SentenceTokensParams) -> str:
    """A hint that names the wrong way which explains every word and score; empty if none does."""
    for way in given[0].expected.get("mistakes", {}):
        if _fits(way, rows, given, params, "mistakes")[1] == len(given):
            return f"It looks like this: {way}."
    return ""


def _fits(
    way: str,
    rows: Sequence[tuple[str, str, float]],
    given: Sequence[Answer],
    params: SentenceTokensParams,
    among: str = "ways",
) -> tuple[int, int]:
    """How many words, and how many words with their scores, this way explains. Sums of columns pass as means do."""
    words = scores = 0
    for (_, token, score), answer in zip(rows, given, strict=True):
        right = {word(name): value for name, value in answer.expected[among][way]}
        if token not in right:
            continue
        words += 1
        times = (1, answer.expected["length"]) if among == "ways" and "column" in way else (1,)
        scores += any(abs(score - right[token] * factor) <= params.tolerance * factor for factor in times)
    return words, scores


def _read(answer: Answer) -> tuple[tuple[str, str, float] | None, tuple[str, str]]:
    """(class, word, score), or None and what is wrong."""
    if answer.error:
        return None, (f"The call raised {answer.error}.", answer.hint or "Call your function yourself with a sentence.")
    value = answer.value
    if type(value) is dict:
        by_key = {word(key): item for key, item in list(value.items())[:50]}
        value = [next((by_key[key] for key in keys if key in by_key), None) for keys in KEYS]
    if type(value) not in (list, tuple) or len(value) != 3:
        return None, ("No class, word and score came back.", "Return a tuple of three: (class index, word, score).")
    label, token, score = word(value[0]), word(value[1]) if type(value[1]) is str else "", number(value[2])
    if not label or not token or not abs(score) < 1e6:
        return None, ("Class, word or score is missing or of the wrong type.", "A whole number, a text and a number.")
    if token in SPECIAL:
        return None, (
            "The top word is a special token.",
            "Leave out [CLS], [SEP] and [PAD] first.",
        )
    if "##" in token:
        return None, ("The top word is a piece of a word.", "Put the pieces (##…) of a word together first.")
    return (label, token, score), ("", "")


def _names(label: Any, context: Context) -> tuple[str, ...]:
    return (str(label), *(word(name) for i, name in enumerate(context.class_names) if i == label))


class ListLengthsParams(Params):
    """How many."""

    k: int = Field(ge=1, le=100, description="Words a class.")


class ListLengths(Check):
    """Every class has exactly k words."""

    kind: ClassVar[str] = "list_lengths"
    title: ClassVar[str] = "Number of words"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = ListLengthsParams

    def judge(self, observation: Observation, context: Context, params: ListLengthsParams) -> Outcome:
        """The first class with another number of words."""
        given = answers(observation, context)
        if (broken := raised(given, "Call your function yourself with some sentences.")) is not None:
            return broken
        found = by_name(given[-1].value, context.class_names) if given else {}
        if len(found) < len(context.class_names):
            return failed(
                "There is no list for some class.", "Return a dict: class → list of words, for every class predicted."
            )
        for name, value in found.items():
            words = ranking(value)
            if words is None or len(words) != params.k:
                count = f"{len(words or ())}" if is_clean(observation) else "another number of"
                return failed(
                    f"{name} has {'no list of words' if words is None else f'{count} words'}; k is {params.k}.",
                    "Cut each ranked list with [:k].",
                )
        return passed(f"Every class has {params.k} words.")
