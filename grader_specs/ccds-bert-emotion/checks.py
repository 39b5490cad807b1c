"""Checks of this task alone: encoded texts, vectors of sentences, and classes named for texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._answers import Answer, answers
from autograder.checks._trees import kind_of
from autograder.checks._values import is_clean, shape_text
from autograder.checks.base import MAX_VALUES, Array, Check, Context, Params, as_array, failed, passed
from autograder.model import Observation, Outcome, Statistic

Trouble = tuple[str, str]  # what is wrong, what to try
_NO_ANSWER = ("No answer came back.", "Return what the handout asks for from every call.")


class EncodingParams(Params):
    """What stands for padding."""

    pad: int = Field(0, ge=0, description="Token id of padding.")


class Encoding(Check):
    """`input_ids` and `attention_mask` of texts. A case expects {"ids": token ids of each text, "longest": max_length}.

    Padded to any length from the longest text's to max_length.
    """

    kind: ClassVar[str] = "encoding"
    title: ClassVar[str] = "Encoded texts"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = EncodingParams

    def judge(self, observation: Observation, context: Context, params: EncodingParams) -> Outcome:
        """The first call that is wrong, in words."""
        given = _expecting(observation, context)
        for answer in given:
            trouble = _raised(answer) or _encoding(answer, params.pad, is_clean(observation))
            if trouble:
                return failed(f"{answer.label}: {trouble[0]}", trouble[1])
        return passed(f"All {len(given)} calls are right.") if given else failed(*_NO_ANSWER)


def _encoding(answer: Answer, pad: int, public: bool) -> Trouble | None:
    """What is wrong with one call's answer. public: lengths may be told."""
    value, rows, longest = answer.value, answer.expected["ids"], answer.expected["longest"]
    if type(value) is not dict or not {"input_ids", "attention_mask"} <= set(value):
        return (
            f"expected a dictionary with input_ids and attention_mask, got {kind_of(value, told=public)}.",
            "Return these two under these names.",
        )
    ids, mask = _matrix(value["input_ids"]), _matrix(value["attention_mask"])
    if ids is None or mask is None or ids.shape != mask.shape or len(ids) != len(rows):
        return "input_ids and attention_mask are not both (texts, T).", 'padding=True, return_tensors="pt"'
    if ids.shape[1] > longest:
        size = f"rows of {ids.shape[1]} tokens" if public else "rows are too long"
        return f"{size}, max_length is {longest}.", "truncation=True, max_length=max_length"
    for found, marked, wanted in zip(ids, mask, rows, strict=True):
        trouble = _row(found, marked, np.asarray(wanted, dtype=np.float64), pad, public)
        if trouble:
            return trouble
    types = _matrix(value.get("token_type_ids", 0 * ids))
    if types is None or types.any():
        return "token_type_ids of a single text are all 0.", "Leave them out, or take the tokenizer's own."
    return None


def _row(found: Array, marked: Array, wanted: Array, pad: int, public: bool) -> Trouble | None:
    """What is wrong with one text's ids and mask."""
    size, tokens = len(wanted), found[found != pad]
    if len(found) < size:
        sizes = f"a text has {size} tokens, its row {len(found)}" if public else "the row of a text is too short"
        return f"{sizes}.", "Pad to the longest text, cut only at max_length."
    if not np.array_equal(found[:size], wanted):
        if np.array_equal(tokens, wanted):
            return "padding does not stand behind the text.", 'tokenizer.padding_side is "right"; leave it so.'
        if len(tokens) <= size - 2 and np.array_equal(tokens, wanted[1:-1]):
            return "[CLS] and [SEP] are missing.", "add_special_tokens=True is the default; leave it so."
        return "the token ids are not the tokenizer's.", "Call the tokenizer; [CLS] first, [SEP] last, also if cut."
    if (found[size:] != pad).any():
        return "something else than padding follows a text.", "Pad with the tokenizer: padding=True."
    if not np.array_equal(marked, (np.arange(len(found)) < size).astype(np.float64)):
        return "the mask is not 1 for tokens and 0 for padding.", "Return the tokenizer's own attention_mask."
    return None


class SentenceVectorsParams(Params):
    """How close is close."""

    tolerance: float = Field(2e-3, gt=0, description="Largest difference, relative to the largest right number.")


class SentenceVectors(Check):
    """Vectors (N, H). A case expects {way: vectors}; `right` passes, the others name what was done instead."""

    kind: ClassVar[str] = "sentence_vectors"
    title: ClassVar[str] = "Vectors of sentences"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = SentenceVectorsParams

    def judge(self, observation: Observation, context: Context, params: SentenceVectorsParams) -> Outcome:
        """The first call that is wrong, with the mistake that explains all calls that are wrong, if there is one."""
        given = _expecting(observation, context)
        if not given:
            return failed(*_NO_ANSWER)
        gaps: list[Mapping[str, float]] = []
        for answer in given:
            found, right = _matrix(answer.value), answer.expected["right"]
            trouble = _raised(answer)
            if trouble is None and (found is None or found.shape != right.shape):
                trouble = _shape(answer, found, right, is_clean(observation)), _WAYS["shape"]
            if trouble:
                return failed(f"{answer.label}: {trouble[0]}", trouble[1])
            gaps.append({way: _gap(found, vectors) for way, vectors in answer.expected.items()})
        wrong = [gap for gap in gaps if not gap["right"] <= params.tolerance]
        if not wrong:
            return passed(f"All {len(given)} calls are right.")
        way = next((way for way in _WAYS if way in wrong[0] and all(g[way] <= params.tolerance for g in wrong)), "")
        calls = f"{len(wrong)} of {len(given)} calls give other vectors than the pre-trained encoder"
        return failed(f"{calls}: {_MISTAKES[way]}." if way else f"{calls}.", _WAYS[way])


def _shape(answer: Answer, found: Array | None, right: Array, public: bool) -> str:
    """What was expected in kind, and what came. public: shapes may be told."""
    if found is None:
        return f"expected a matrix of numbers, a row for each text, got {kind_of(answer.value, told=public)}."
    if not public:
        return "the matrix is not one row for each text, as wide as the encoder's hidden states."
    return f"expected numbers of shape {shape_text(right.shape)}, found {shape_text(found.shape)}."


_MISTAKES = {
    "no_mask": "those of an encoder without a mask, which looks at padding",
    "types": "those of token type 1 in place of 0",
    "types_and_mask": "those of mask and token types in each other's place",
    "no_specials": "those of texts without [CLS] and [SEP]",
    "pooled": "the pooler's output",
    "mean": "the mean over the tokens",
    "mean_with_padding": "the mean over all places, padding among them",
    "last_token": "the state of the last token",
    "last_place": "the state of the last place, which is padding",
    "layer_before": "the state of [CLS] one layer too early",
    "embedding": "the embedding of [CLS], before any layer",
}
_WAYS = {
    "no_mask": "Give the encoder the attention_mask.",
    "types": "Leave token_type_ids out, or give zeros.",
    "types_and_mask": "Give attention_mask and token_type_ids by their names, not by position.",
    "no_specials": "Let the tokenizer add its special tokens.",
    "pooled": "Take last_hidden_state[:, 0]; the pooler is one more layer.",
    "mean": "Take last_hidden_state[:, 0].",
    "mean_with_padding": "Take last_hidden_state[:, 0].",
    "last_token": "Take last_hidden_state[:, 0].",
    "last_place": "Take last_hidden_state[:, 0].",
    "layer_before": "Take last_hidden_state, which is hidden_states[-1].",
    "embedding": "Take last_hidden_state, which is hidden_states[-1].",
    "shape": "One vector for each text: last_hidden_state[:, 0].",
    "": "Are the weights loaded from path (a BertModel(config) starts anew)? Is the model in eval mode? Does the "
    "encoder get ids and mask alone?",
}


def _gap(found: Array | None, wanted: Array) -> float:
    """Largest difference, relative to the largest right number; NaN where shapes differ."""
    if found is None or found.shape != wanted.shape:
        return float("nan")
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


class TextClassesParams(Params):
    """How many must be right."""

    min: float = Field(ge=0, le=1, description="Share of the texts whose class must be right.")


class TextClasses(Check):
    """Class numbers (2N,) of N texts and then the same ones in reverse order. A case expects the classes (N,)."""

    kind: ClassVar[str] = "text_classes"
    title: ClassVar[str] = "Classes of texts"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = TextClassesParams

    def judge(self, observation: Observation, context: Context, params: TextClassesParams) -> Outcome:
        """Form, then whether a text gets its class again, then how many classes are right."""
        given = _expecting(observation, context)
        if not given:
            return failed(*_NO_ANSWER)
        trouble = _raised(given[0])
        if trouble:
            return failed(*trouble)
        wanted = np.asarray(given[0].expected["classes"])
        found = _classes(given[0].value, context.class_names)
        if found is None or found.shape != (2 * len(wanted),):
            return failed("There is no class number for each text.", "Return the argmax of the logits, one per text.")
        changed = int((found[: len(wanted)] != found[len(wanted) :][::-1]).sum())
        if changed:
            return failed(
                f"{changed} of {len(wanted)} texts get another class when they come again, later in the list.",
                "Call model.eval() in predict, since dropout is random; give the model the mask; keep the order.",
            )
        accuracy = float((found[: len(wanted)] == wanted).mean())
        said = Statistic.share("accuracy", accuracy, params.min, "above", "min")
        if accuracy >= params.min:
            return passed(f"Accuracy {accuracy:.3f} (asked for: {params.min:.3f}).").measured(said)
        hint = "Compare with the accuracy of the training above: does predict encode texts as they were for training?"
        message = f"Accuracy {accuracy:.3f}; at least {params.min:.3f} is asked for."
        return failed(message, hint).measured(said)


def _classes(value: Any, names: Sequence[str]) -> Array | None:
    """Class numbers, also where they came as names; None if they are neither."""
    if type(value) is list and all(type(item) is str for item in value):
        known = {name: number for number, name in enumerate(names)}
        value = [known.get(item.strip().lower()[:80], -1) for item in value]
    found = as_array(np.array(value) if _is_flat(value) else value)
    return found if found is not None and found.ndim == 1 and np.isfinite(found).all() else None


def _expecting(observation: Observation, context: Context) -> list[Answer]:
    """The answers, or none if they do not belong to cases that expect something."""
    given = answers(observation, context)
    return given if all(isinstance(answer.expected, Mapping) for answer in given) else []


def _raised(answer: Answer) -> Trouble | None:
    if not answer.error:
        return None
    return f"The call raised {answer.error}.", answer.hint or "Call your function yourself with a few sentences."


def _is_flat(value: Any) -> bool:
    return type(value) is list and 0 < len(value) < 100_000 and all(type(v) in (int, float) for v in value)


def _matrix(value: Any) -> Array | None:
    """A float64 (N, M) array of finite numbers, also from a list of equal rows; None if it is anything else."""
    if type(value) is list and value and all(_is_flat(row) and len(row) == len(value[0]) for row in value):
        value = np.array(value)
    elif type(value) is list and value:
        same = all(isinstance(row, np.ndarray) and row.shape == (value[0].size,) for row in value)
        rows = [as_array(row) for row in value] if same and len(value) * value[0].size <= MAX_VALUES else [None]
        value = None if any(row is None for row in rows) else np.stack(rows)
    found = as_array(value)
    return found if found is not None and found.ndim == 2 and np.isfinite(found).all() else None
