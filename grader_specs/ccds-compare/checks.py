"""Check types of ccds-compare: measures of given models with the likeliest mistake, a student's own table and choice.

The own table is held against the student's confusion matrices. A confusion matrix holds all that accuracy, precision,
recall and F1 depend on, so the judge can measure again. How well the networks did is not judged; whether the matrices
come from the test images is, as far as their sums tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._cases import Answered, answered, list_name
from autograder.checks._trees import plain_array
from autograder.checks._values import brief, is_clean
from autograder.checks.allclose import Allclose, AllcloseParams
from autograder.checks.base import Array, Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome, Verdict

MEASURES = ("accuracy", "precision", "recall", "f1")
NAMES = ("architecture 1", "architecture 2", "architecture 3", "architecture 4")
MOST_CLASSES = 100  # of a matrix that is measured; each cell of it is looked at in Python


class ComparedModels(Allclose):
    """Compares as allclose does. Where the measures are wrong, the mistake that explains all of them is named.

    The given models are linear, so what they predict, and what each mistake makes of it, can be reckoned here.
    """

    kind: ClassVar[str] = "compared_models"
    title: ClassVar[str] = "Measures of given models"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = AllcloseParams

    def judge(self, observation: Observation, context: Context, params: AllcloseParams) -> Outcome:
        """The judgement of allclose, with a better hint if there is one."""
        outcome = super().judge(observation, context, params)
        if outcome.verdict is not Verdict.FAILED:
            return outcome
        every = answered(observation, list_name(observation, params.cases, context), context, ())
        if any(a.missing or a.error is not None for a in every):
            return outcome
        judged = [a for a in every if not params.only or a.case.group in params.only]
        hint = _train_mode(every, judged, params.atol) or _mistake(judged, params.atol) or _cut(judged, params.atol)
        return replace(outcome, hint=hint or outcome.hint)


def _train_mode(every: Sequence[Answered], judged: Sequence[Answered], tolerance: float) -> str:
    """A hint if one way explains all answers but some of those with dropout, which are judged here."""
    plain = [a for a in every if not _has_dropout(a)]
    noisy = [a for a in judged if _has_dropout(a)]
    if not plain or not noisy:
        return ""
    ways = {"": _right, **MISTAKES}
    said = [said for said, way in ways.items() if _error(way, plain, tolerance) <= tolerance]
    if not said or any(_error(ways[one], noisy, tolerance) <= tolerance for one in said):
        return ""
    others = "Only the models with dropout are measured wrongly:" if not said[0] else f"{said[0]} Besides,"
    return f"{others} dropout is still on. Call model.eval() for every model before it predicts."


def _mistake(judged: Sequence[Answered], tolerance: float) -> str:
    """The mistake that explains all answers, the nearest of several; empty if none does."""
    errors = {said: _error(way, judged, tolerance) for said, way in MISTAKES.items()}
    errors[PILED] = _error(_right, judged, tolerance, piled=True)
    said = min(errors, key=lambda said: errors[said])
    return said if errors[said] <= tolerance else ""


def _cut(judged: Sequence[Answered], tolerance: float) -> str:
    """A hint if all answers are right for the full batches of some size, or for the first batch alone."""
    fits = []
    for answer in judged:
        rows = _rows(answer)
        if rows is None:
            return ""
        targets = answer.case.arguments[2]
        fits += [abs(_right_of_first(targets, logits) - got).max(axis=1) <= tolerance for got, logits in rows]
    most = max((len(fit) for fit in fits), default=0) - 1
    for said, kept in CUTS.items():
        for size in range(2, most):
            if all(fit[kept(len(fit) - 1, size)] for fit in fits):
                return said
    return ""


def _right_of_first(targets: Array, logits: Array) -> Array:
    """The measures (N + 1, 4) of the first 0, 1, … N examples; infinite of none."""
    classes = np.arange(logits.shape[1])
    true, said = targets[:, None] == classes, logits.argmax(axis=1)[:, None] == classes
    right, true, said = (np.cumsum(one, axis=0) for one in (true & said, true, said))
    each = (right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / np.maximum(said + true, 1))
    accuracy = right.sum(axis=1) / np.arange(1, len(targets) + 1)
    measures = np.column_stack([accuracy, *(values.mean(axis=1) for values in each)])
    return np.concatenate([np.full((1, len(MEASURES)), np.inf), measures])


def _has_dropout(answer: Answered) -> bool:
    return any(model.values["dropout"] > 0 for model in answer.case.arguments[0].values())


def _error(
    way: Callable[[Array, Array], Sequence[float]], judged: Sequence[Answered], tolerance: float, *, piled: bool = False
) -> float:
    """Largest difference of any number from what that way makes of the logits (in eval mode); inf beyond tolerance.

    piled: each model's examples are counted beside those of the models before it.
    """
    most = 0.0 if judged else np.inf
    for answer in judged:
        rows, seen = _rows(answer), []
        if rows is None:
            return np.inf
        for got, logits in rows:
            seen = [*(seen if piled else []), logits]
            wanted = way(np.tile(answer.case.arguments[2], len(seen)), np.concatenate(seen))
            most = max(most, *abs(got - wanted))
            if not most <= tolerance:
                return np.inf
    return most


def _rows(answer: Answered) -> list[tuple[Array, Array]] | None:
    """Of every model the four numbers that were answered and its logits in eval mode; None if one lacks numbers."""
    models, inputs, _ = answer.case.arguments
    if not isinstance(answer.value, Mapping) or set(answer.value) != set(models):
        return None
    flat, rows = inputs.reshape(len(inputs), -1).astype(np.float64), []
    for name, model in models.items():
        row = answer.value[name]
        got = [plain_array(row.get(key)) if isinstance(row, Mapping) else None for key in MEASURES]
        numbers = np.array([one.item() for one in got if one is not None and one.size == 1], dtype=np.float64)
        if len(numbers) != len(MEASURES) or not np.isfinite(numbers).all():
            return None
        rows.append((numbers, flat @ model.values["weight"].T + model.values["bias"]))
    return rows


def _matrix_of(targets: Array, logits: Array) -> Array:
    matrix = np.zeros((logits.shape[1],) * 2, dtype=np.int64)
    np.add.at(matrix, (targets, logits.argmax(axis=1)), 1)
    return matrix


def _right(targets: Array, logits: Array) -> list[float]:
    return list(_measures(_matrix_of(targets, logits)).values())


def _f1_of_means(targets: Array, logits: Array) -> list[float]:
    row = _measures(_matrix_of(targets, logits))
    return [row["accuracy"], row["precision"], row["recall"], _harmonic(row)]


def _plain_f1(targets: Array, logits: Array) -> list[float]:
    accuracy, precision, recall, _ = _right(targets, logits)
    return [accuracy, precision, recall, (precision + recall) / 2]


def _micro(targets: Array, logits: Array) -> list[float]:
    return [_right(targets, logits)[0]] * 4


def _weighted(targets: Array, logits: Array) -> list[float]:
    precision, recall, f1 = _each(_matrix_of(targets, logits))
    share = np.bincount(targets, minlength=logits.shape[1]) / len(targets)
    return [float(value) for value in (recall @ share, precision @ share, recall @ share, f1 @ share)]


def _each(matrix: Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of every class."""
    right, true, said = np.diag(matrix).astype(float), matrix.sum(axis=1), matrix.sum(axis=0)
    return right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / np.maximum(said + true, 1)


def _swapped(targets: Array, logits: Array) -> list[float]:
    accuracy, precision, recall, f1 = _right(targets, logits)
    return [accuracy, recall, precision, f1]


def _balanced(targets: Array, logits: Array) -> list[float]:
    _, precision, recall, f1 = _right(targets, logits)
    return [recall, precision, recall, f1]


def _smallest(targets: Array, logits: Array) -> list[float]:
    return _right(targets, -logits)


def _per_cent(targets: Array, logits: Array) -> list[float]:
    return [100 * value for value in _right(targets, logits)]


def _accuracy_per_cent(targets: Array, logits: Array) -> list[float]:
    accuracy, *others = _right(targets, logits)
    return [100 * accuracy, *others]


def _absent_left_out(targets: Array, logits: Array) -> list[float]:
    matrix = _matrix_of(targets, logits)
    said = matrix.sum(axis=0) > 0
    return [_right(targets, logits)[0], *(float(values[said].mean()) for values in _each(matrix))]


def _absent_left_out_of_precision(targets: Array, logits: Array) -> list[float]:
    accuracy, _, recall, f1 = _right(targets, logits)
    return [accuracy, _absent_left_out(targets, logits)[1], recall, f1]


def _absent_left_out_but_of_recall(targets: Array, logits: Array) -> list[float]:
    accuracy, _, recall, _ = _right(targets, logits)
    _, precision, _, f1 = _absent_left_out(targets, logits)
    return [accuracy, precision, recall, f1]


def _absent_one(targets: Array, logits: Array) -> list[float]:
    accuracy, precision, recall, f1 = _right(targets, logits)
    absent = (_matrix_of(targets, logits).sum(axis=0) == 0).mean()
    return [accuracy, precision + float(absent), recall, f1]


PILED = "The predictions of all models before are counted, too. Begin with an empty list for each model."
LEFT_OUT = "A class that is never predicted has precision 0 and F1 0, and counts in the mean; here it is left out."
# What explains all answers → the way of reckoning that gives them; likelier ones first.
MISTAKES: Mapping[str, Callable[[Array, Array], Sequence[float]]] = {
    "This is the F1 of the mean precision and recall. Macro F1 is the mean of the classes' F1.": _f1_of_means,
    "This is the plain mean of precision and recall. Take F1 of each class by its formula, then their mean.": _plain_f1,
    "All four are the accuracy: that is the micro average. Macro is the plain mean over the classes.": _micro,
    "Frequent classes count more: that is the weighted average. Macro is the plain mean over the classes.": _weighted,
    "Precision and recall have changed places. In scikit-learn y_true comes first.": _swapped,
    "The accuracy is the mean recall. It is the share of all examples that are predicted rightly.": _balanced,
    "The class with the smallest logit is taken. The predicted class is the one with the largest.": _smallest,
    "These are per cent; shares between 0 and 1 are asked for.": _per_cent,
    "The accuracy is in per cent; a share between 0 and 1 is asked for.": _accuracy_per_cent,
    LEFT_OUT: _absent_left_out,
    LEFT_OUT + " That concerns precision.": _absent_left_out_of_precision,
    LEFT_OUT + " That concerns precision and F1.": _absent_left_out_but_of_recall,
    "A class that is never predicted gets precision 1, but has precision 0. Set zero_division=0.": _absent_one,
}


CUTS: Mapping[str, Callable[[int, int], int]] = {  # … → how many of n examples are counted, with batches of that size
    "The last examples are not counted: is a last batch that is not full left out (drop_last=True)?": lambda n, size: (
        n - n % size
    ),
    "Only the first examples are counted: does the function return inside of the loop over batches?": min,
}


class MatricesParams(Params):
    """What the matrices count."""

    classes: int = Field(10, ge=2, description="Classes: rows and columns of a matrix.")
    each: int = Field(1000, ge=1, description="Test images of every class: the sum of each row.")


class TestMatrices(Check):
    """Four different confusion matrices of the test images, with the true classes in rows."""

    kind: ClassVar[str] = "test_matrices"
    title: ClassVar[str] = "Confusion matrices of the test images"
    probes: ClassVar[frozenset[str]] = frozenset({"call"})
    own_word: ClassVar[bool] = True  # what is pasted in nobody measured
    Params: ClassVar[type[Params]] = MatricesParams

    def judge(self, observation: Observation, _context: Context, params: MatricesParams) -> Outcome:
        """Shape first, then what the sums say."""
        given = observation.values.get("value")
        missing = _missing(given)
        if missing:
            return failed(
                f"`confusion` has no matrix for: {missing}.", "Give it the four names of the handout as keys."
            )
        found = {name: _matrix(given[name], params.classes) for name in NAMES}
        for name, matrix in found.items():
            if matrix is None:
                return failed(
                    f"The matrix of {name} is not {params.classes} rows of {params.classes} whole numbers.",
                    "Paste confusion_matrix(y_true, y_pred).tolist(): counts, neither shares nor per cent.",
                )
            problem = _sums(matrix, params, is_clean(observation))
            if problem:
                return failed(f"The matrix of {name}: {problem[0]}", problem[1])
        if len({matrix.tobytes() for matrix in found.values() if matrix is not None}) < len(NAMES):
            return failed(
                "Two architectures have the same matrix.", "Evaluate each network by itself; was one pasted twice?"
            )
        return passed("Four different matrices, each over all test images.")


class TableParams(Params):
    """How near the table must be."""

    tolerance: float = Field(0.006, gt=0, lt=0.1, description="Largest difference of a number; two decimals fit in.")


class OwnTable(Check):
    """Accuracy and macro averages of a student's table are those of the student's confusion matrices."""

    kind: ClassVar[str] = "own_table"
    title: ClassVar[str] = "Your table"
    probes: ClassVar[frozenset[str]] = frozenset({"call"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"confusion": frozenset({"call"})}
    own_word: ClassVar[bool] = True  # the matrices it is held against are pasted in, too
    Params: ClassVar[type[Params]] = TableParams

    def judge(self, observation: Observation, context: Context, params: TableParams) -> Outcome:
        """Compare number by number; name what a wrong one looks like."""
        table, measured = observation.values.get("value"), _measured(context)
        if measured is None:
            return failed("There is nothing to hold your table against.", "Repair `confusion` first.")
        missing = _missing(table)
        if missing:
            return failed(f"`results` has no row for: {missing}.", "Use the four names of the handout as keys.")
        wrong: list[str] = []
        hint = ""
        for name in NAMES:
            row = _row(table[name])
            if row is None:
                return failed(
                    f"The row of {name} does not hold four numbers.",
                    "Each row is a dict with the keys accuracy, precision, recall and f1.",
                )
            off = [key for key in MEASURES if not abs(row[key] - measured[name][key]) <= params.tolerance]
            wrong += [
                f"{name}: {key} is {brief(row[key])}, your matrix gives {brief(measured[name][key])}" for key in off
            ]
            hint = hint or (_likely(row, measured[name], params.tolerance) if off else "")
        if wrong:
            more = f" ({len(wrong)} of 16 numbers differ)" if len(wrong) > 1 else ""
            return failed(f"{wrong[0]}{more}.", hint or "Was it measured on the same images, with macro averages?")
        return passed("All 16 numbers agree with your confusion matrices.")


class OwnBest(Check):
    """The student's choice among the student's own rows is the best by measured macro F1."""

    kind: ClassVar[str] = "own_best"
    title: ClassVar[str] = "Your best architecture"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"confusion": frozenset({"call"})}
    own_word: ClassVar[bool] = True  # the matrices it is held against are pasted in, too
    Params: ClassVar[type[Params]] = TableParams

    def judge(self, observation: Observation, context: Context, params: TableParams) -> Outcome:
        """Compare the name with the measured order."""
        answers = observation.values.get("answers")
        first = answers[0] if isinstance(answers, list) and answers else None
        named = first.get("value") if isinstance(first, Mapping) else None
        measured = _measured(context)
        if measured is None:
            return failed("There is nothing to hold your choice against.", "Repair `confusion` first.")
        if not isinstance(named, str) or named not in measured:
            return failed(
                "best_architecture(results) names none of the four architectures.",
                "It must return one of the keys of the table it is given.",
            )
        best = max(row["f1"] for row in measured.values())
        if not measured[named]["f1"] >= best - params.tolerance:
            return failed(
                f"best_architecture(results) says {named}, whose macro F1 is {measured[named]['f1']:.3f} by your "
                f"matrices; another one has {best:.3f}.",
                "Compare by macro F1, and take the largest.",
            )
        return passed(f"{named} is the best of your four.")


def _missing(given: Any) -> str:
    """The names that a dict lacks, as text; all of them if it is no dict."""
    return ", ".join(name for name in NAMES if not isinstance(given, Mapping) or name not in given)


def _matrix(value: Any, classes: int) -> Array | None:
    """An int64 matrix of counts, or None. Lengths come first: an array of a few bytes can have millions of rows."""
    if _length(value) != classes:
        return None
    counts = []
    for row in value:
        if _length(row) != classes:
            return None
        counts.append([_count(n.item() if isinstance(n, np.generic) else n) for n in row])
    matrix = np.array(counts, dtype=np.int64)
    return matrix if (matrix >= 0).all() else None


def _length(value: Any) -> int:
    """The number of rows of a list or an array; 0 of anything else, such as an array without axes."""
    if isinstance(value, np.ndarray):
        return len(value) if value.ndim else 0
    return len(value) if isinstance(value, list) else 0


def _count(number: Any) -> int:
    """A count up to a million; -1 for anything else."""
    if not isinstance(number, int | float) or isinstance(number, bool):
        return -1
    return int(number) if 0 <= number <= 1e6 and number == int(number) else -1


def _sums(matrix: Array, params: MatricesParams, told: bool) -> tuple[str, str] | None:
    """What is wrong with the sums of a matrix, and what to try; None if nothing is. told: a wrong sum may be said."""
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    if (rows == params.each).all():
        return None
    total = params.each * params.classes
    if (columns == params.each).all():
        return (
            f"its columns add up to {params.each:,}, its rows don't.",
            "It is transposed: rows are the true classes. In scikit-learn y_true comes first.",
        )
    if matrix.sum() != total:
        return (
            f"it counts {f'{matrix.sum():,}' if told else 'another number of'} images, but the test set has {total:,}.",
            "Evaluate on the test images, all of them, and not on those the network was trained on.",
        )
    return f"its rows don't add up to {params.each:,} each.", "Every class has as many test images as the others."


def _measured(context: Context) -> dict[str, dict[str, float]] | None:
    """Accuracy and macro averages by name from the observed confusion matrices; None if these are of no use."""
    observation = context.also.get("confusion")
    given = observation.values.get("value") if observation is not None else None
    if _missing(given) or not isinstance(given, Mapping):
        return None
    found = {}
    for name in NAMES:
        size = _length(given[name])
        matrix = _matrix(given[name], size) if 2 <= size <= MOST_CLASSES else None
        if matrix is None or not matrix.sum() > 0:
            return None
        found[name] = _measures(matrix)
    return found


def _measures(matrix: Array) -> dict[str, float]:
    """The four measures of a confusion matrix (rows: true class)."""
    values = (np.trace(matrix) / matrix.sum(), *(values.mean() for values in _each(matrix)))
    return {key: float(value) for key, value in zip(MEASURES, values, strict=True)}


def _row(value: Any) -> dict[str, float] | None:
    """The four finite numbers of a table's row, or None."""
    if not isinstance(value, Mapping):
        return None
    row = {}
    for key in MEASURES:
        number = value.get(key)
        number = number.item() if isinstance(number, np.ndarray) and number.size == 1 else number
        if not isinstance(number, int | float) or isinstance(number, bool) or not abs(number) < 1e6:
            return None
        row[key] = float(number)
    return row


def _likely(row: Mapping[str, float], measured: Mapping[str, float], tolerance: float) -> str:
    """The likeliest cause of a wrong row."""

    def near(key: str, value: float) -> bool:
        return abs(row[key] - value) <= tolerance

    if all(abs(row[key] / 100 - measured[key]) <= tolerance for key in MEASURES):
        return "These are per cent; the table asks for shares between 0 and 1."
    if near("precision", measured["recall"]) and near("recall", measured["precision"]):
        return "Precision and recall have changed places. In scikit-learn y_true comes first."
    if all(near(key, measured["accuracy"]) for key in MEASURES):
        return "All four are the accuracy: that is the micro average. Macro is the plain mean over the classes."
    if near("f1", _harmonic(measured)) and not near("f1", measured["f1"]):
        return "Macro F1 is the mean of the classes' F1, not the F1 of the mean precision and recall."
    return ""


def _harmonic(measured: Mapping[str, float]) -> float:
    both = measured["precision"] + measured["recall"]
    return 2 * measured["precision"] * measured["recall"] / both if both > 0 else 0.0
