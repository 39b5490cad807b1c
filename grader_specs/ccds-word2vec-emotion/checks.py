"""Checks of this task alone: rows of an embedding matrix, twins with the same vector, and what vectors are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from sklearn.metrics import f1_score

from autograder.checks._answers import Answer, answers
from autograder.checks._pairs import differences, is_constant
from autograder.checks._trees import kind_of, plain_array
from autograder.checks._values import shape_text
from autograder.checks.base import Array, ArrayName, Check, Context, Params, as_array, failed, passed
from autograder.checks.measures import epoch_outputs, labels_of, last_outputs, predictions
from autograder.model import Observation, Outcome, Statistic

PART = Literal["words", "others", "all"]


class EmbeddingRowsParams(Params):
    """Which calls, and which rows of their answers."""

    only: tuple[str, ...] = Field((), description="Only cases of these groups.")
    part: PART = Field("all", description="Rows of words in the file, those of padding and other words, or all.")
    tolerance: float = Field(1e-3, gt=0, description="Largest difference of a number.")


class EmbeddingRows(Check):
    """Row n is the file's vector of word number n; padding has zeros; other words have numbers of their own.

    A case expects {"rows": (V, d), NaN where the file has no vector, "pad": row of padding, "file": its vectors}.
    """

    kind: ClassVar[str] = "embedding_rows"
    title: ClassVar[str] = "Rows of the embedding matrix"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = EmbeddingRowsParams

    def judge(self, observation: Observation, context: Context, params: EmbeddingRowsParams) -> Outcome:
        """Shape, then numbers; the likeliest mistake is named, which for public vocabularies includes the word."""
        given, name = answers(observation, context), observation.values.get("cases")
        cases = context.cases.get(name, ()) if type(name) is str else ()
        if not given or len(given) != len(cases):
            return failed("No matrices came back.", "Return one matrix (len(vocab), d) from embedding_matrix.")
        public = name not in context.hidden
        chosen = [pair for pair in zip(given, cases, strict=True) if not params.only or pair[1].group in params.only]
        for answer, case in chosen:
            trouble = _trouble(answer, case.arguments[0], params, public)
            if trouble:
                where = f" (vocabulary: {answer.label})" if public else ""
                return failed(trouble[0] + where, trouble[1])
        return passed(f"Right for all {len(chosen)} vocabularies.")


def _trouble(
    answer: Answer, vocab: Mapping[str, int], params: EmbeddingRowsParams, public: bool
) -> tuple[str, str] | None:
    """What is wrong with one matrix, and what to try; None if nothing is."""
    if answer.error:
        advice = _ERRORS.get(answer.kind) or answer.hint or "Call your function with a small file."
        return f"The call raised {answer.error}.", advice
    rows = answer.expected["rows"].astype(np.float64)
    found = plain_array(answer.value)
    if found is None:
        got = kind_of(answer.value, told=public)
        return f"A matrix of numbers was expected, got {got}.", "Return an array or a tensor of floats."
    if found.shape != rows.shape:
        sizes = f" {shape_text(rows.shape)} was expected, it is {shape_text(found.shape)}." if public else ""
        return (
            f"The matrix should have a row for each word, as wide as the file's vectors.{sizes}",
            "The width stands in the first line of the file, behind the number of words.",
        )
    if not (np.abs(found) < 1e6).all():
        return "Some rows are NaN, infinite or far too large.", "A word without a vector gets numbers, too: zeros do."
    known = ~np.isnan(rows).any(axis=1)
    known[answer.expected["pad"]] = False
    if params.part != "others" and (trouble := _words(found, rows, known, vocab, params.tolerance, public)):
        return trouble
    return _others(found, known, answer.expected, params.tolerance) if params.part != "words" else None


_ERRORS = {
    "KeyError": "A word that the file lacks must not end the function: look first whether it is there.",
    "ValueError": "The first line holds two numbers, no word; a line may end with a space.",
    "NotImplementedError": "Write embedding_matrix first: it needs nothing but the file.",
}


def _words(
    found: Array, rows: Array, known: Array, vocab: Mapping[str, int], tolerance: float, public: bool
) -> tuple[str, str] | None:
    """Wrong rows of words that the file has."""
    wrong = known & ~(np.abs(found - rows).max(axis=1) <= tolerance)
    if not wrong.any():
        return None
    named = {number: word for word, number in vocab.items()}
    words = "Some rows are not the file's vectors."
    if public:
        first = named[int(np.flatnonzero(wrong)[0])]
        words = f"{wrong.sum()} of {known.sum()} rows are not the file's vectors, such as that of '{first}'."
    return words, _cause(found, rows, wrong, vocab)


def _cause(found: Array, rows: Array, wrong: Array, vocab: Mapping[str, int]) -> str:
    """The likeliest mistake behind wrong rows."""

    def explained(other: Array) -> bool:
        comparable = wrong & ~np.isnan(other).any(axis=1)
        return bool(comparable.sum() >= 2 and np.abs(found - other)[comparable].max() <= 1e-3)

    by_order = rows[list(vocab.values())]
    if not np.array_equal(by_order, rows, equal_nan=True) and explained(by_order):
        return "The rows stand in the order of the dict; row vocab[word] is asked for."
    if explained(np.roll(rows, 1, axis=0)) or explained(np.roll(rows, -1, axis=0)):
        return "Every vector stands one row too far: row vocab[word], neither one more nor one less."
    near, scale = found[wrong], np.linalg.norm(rows[wrong], axis=1) * np.linalg.norm(found[wrong], axis=1)
    cosines = (near * rows[wrong]).sum(axis=1) / np.maximum(scale, 1e-12)
    if (cosines > 0.999).all():
        return "The directions are right, the lengths are not: leave the vectors as they are in the file."
    if not near.any():
        return "These rows are zeros: were all lines of the file read, the first and the last word too? Capitals?"
    return "Look the word up as it is written; only if it is not there, in lower case. Copy its numbers into its row."


def _others(found: Array, known: Array, expected: Mapping[str, Any], tolerance: float) -> tuple[str, str] | None:
    """Wrong rows of padding, or of words that the file lacks."""
    if np.abs(found[expected["pad"]]).max() > tolerance:
        return "The row of <pad> is not zero.", "Padding is no word: set its row to zeros at the end."
    free = ~known
    free[expected["pad"]] = False
    rows, file = found[free], expected["file"].astype(np.float64)
    if rows.size and (np.abs(rows[:, None] - file[None]).max(axis=2) <= tolerance).any():
        return (
            "A word that the file lacks has the vector of another word.",
            "Zeros, the mean of all vectors or small random numbers say that nothing is known of it.",
        )
    if rows.size and np.linalg.norm(rows, axis=1).max() > 1.5 * np.linalg.norm(file, axis=1).max():
        return (
            "A word that the file lacks has a longer vector than any word of the file.",
            "Zeros, the mean of all vectors or random numbers of their size are fine.",
        )
    return None


class TwinWordsParams(Params):
    """Which evaluated inputs are twins, and whether training may tell them apart."""

    words: str = Field("words", description="Label of the sentences that the training uses.")
    twins: str = Field("twins", description="Label of the same with other words that have the same vectors.")
    frozen: bool = Field(description="True: training must leave the vectors as they are; false: it must move them.")
    tolerance: float = Field(1e-4, gt=0, description="Largest difference of equal answers, relative to the largest.")


class TwinWords(Check):
    """Two words with the same given vector get the same answer; after training, as long as vectors are frozen.

    All of it is measured: nothing is taken from the process's own word about its weights.
    """

    kind: ClassVar[str] = "twin_words"
    title: ClassVar[str] = "The model uses the given vectors"
    probes: ClassVar[frozenset[str]] = frozenset({"train"})
    Params: ClassVar[type[Params]] = TwinWordsParams

    def judge(self, observation: Observation, _context: Context, params: TwinWordsParams) -> Outcome:
        """Before training, then after."""
        pairs = _pairs(observation, params)
        if len(pairs) < 2:
            return failed("There are no answers to compare.", "The model must run and train first.")
        (before, twins_before), (after, twins_after) = pairs[0], pairs[-1]
        if is_constant(before):
            return failed("Every sentence gets the same scores.", "Does the answer depend on the words at all?")
        if not differences(before, twins_before).max() <= params.tolerance:
            return failed(
                "Before any training, two words with the same vector get different answers: the embedding does not "
                "hold the given vectors, each in its row.",
                "Pass `embeddings` on to nn.Embedding.from_pretrained, or copy it into the embedding's weight.",
            )
        if not differences(before, after).max() > 10 * params.tolerance:
            return failed(
                "Training changes no answer.",
                "Only the embedding's vectors are to be frozen: the LSTM and the linear layer train in any case.",
            )
        gaps = differences(after, twins_after)
        if params.frozen and not gaps.max() <= params.tolerance:
            return failed(
                "freeze=True, but training moved the vectors: words that had the same one get different answers now.",
                "from_pretrained(embeddings, freeze=freeze), or requires_grad = not freeze on the embedding's weight.",
            )
        if not params.frozen and not np.median(gaps) > 10 * params.tolerance:
            return failed(
                "freeze=False, but training left the vectors as they were.",
                "from_pretrained freezes unless it is told freeze=False.",
            )
        return passed("Given vectors are used, and " + ("stay as they are." if params.frozen else "training goes on."))


def _pairs(observation: Observation, params: TwinWordsParams) -> list[tuple[Array, Array]]:
    """(answers for words, for twins) before training and after each epoch; nothing if some can't be compared."""
    labels = (params.words, params.twins)
    every = list(zip(*(epoch_outputs(observation, label) for label in labels), strict=True))
    found = [(as_array(one), as_array(two)) for one, two in every]
    pairs = [(a, b) for a, b in found if a is not None and b is not None and a.ndim == 2 and a.shape == b.shape]
    finite = all((np.abs(a) <= 1e38).all() and (np.abs(b) <= 1e38).all() for a, b in pairs)
    same = len({a.shape for a, _ in pairs}) == 1
    return pairs if len(pairs) == len(every) and finite and same else []


class VectorsHelpParams(Params):
    """What is compared on which labels."""

    targets: ArrayName = Field(description="The judge's labels.")
    label: str = Field("test", description="Evaluated inputs of both trainings.")
    min_gain: float = Field(0.05, ge=-1, le=1, description="Least gain in accuracy with the given vectors.")


class VectorsHelp(Check):
    """The same training with and without given vectors: accuracy and macro F1 as a table, and the gain."""

    kind: ClassVar[str] = "vectors_help"
    title: ClassVar[str] = "With and without vectors"
    probes: ClassVar[frozenset[str]] = frozenset({"train"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"without": frozenset({"train"})}
    Params: ClassVar[type[Params]] = VectorsHelpParams

    def judge(self, observation: Observation, context: Context, params: VectorsHelpParams) -> Outcome:
        """Measure both."""
        targets, without = labels_of(context.arrays, params.targets), context.also.get("without")
        pair: Sequence[Observation | None] = (observation, without)
        measured = [_measured(one, targets, params.label) for one in pair]
        if measured[0] is None or measured[1] is None:
            return failed("One of the two models could not be measured.", "Both must train: with vectors and without.")
        (accuracy, f1), (plain, plain_f1) = measured[0], measured[1]
        said = {
            "given vectors": f"accuracy {accuracy:.2f}, macro F1 {f1:.2f}",
            "torch embedding": f"accuracy {plain:.2f}, macro F1 {plain_f1:.2f}",
        }
        gain = Statistic("gain", accuracy - plain, params.min_gain, "above", "min_gain")
        if not accuracy - plain >= params.min_gain:
            return failed(
                f"With the given vectors accuracy is {accuracy:.2f}, without them {plain:.2f}: they don't help.",
                "Few sentences teach few words; given vectors bring the others. Does the model use them?",
                **said,
            ).measured(gain)
        return passed(f"Accuracy {accuracy:.2f} with the given vectors, {plain:.2f} without.", **said).measured(gain)


def _measured(observation: Observation | None, targets: Array, label: str) -> tuple[float, float] | None:
    """Accuracy and macro F1 after a training; None without usable outputs."""
    outputs = last_outputs(observation, label) if observation is not None else None
    said = predictions(outputs, len(targets))
    if said is None:
        return None
    return float((said == targets).mean()), float(f1_score(targets, said, average="macro", zero_division=0))
