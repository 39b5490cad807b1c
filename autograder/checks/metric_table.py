"""metric_table: a student's table of results against the judge's own measurement of the same predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._answers import answers, raised, word
from autograder.checks._values import is_clean, number
from autograder.checks.base import Array, ArrayName, Check, Context, LabelName, Params, failed, partial, passed
from autograder.checks.measures import labels_of, last_outputs, predictions
from autograder.model import Observation, Outcome, Statistic

Metric = Literal["accuracy", "precision", "recall", "f1"]
Average = Literal["macro", "micro", "weighted"]
METRICS: tuple[Metric, ...] = ("accuracy", "precision", "recall", "f1")
NAMES = {
    "accuracy": ("accuracy", "acc", "testaccuracy", "testacc"),
    "precision": ("precision", "macroprecision", "precisionmacro", "prec", "p"),
    "recall": ("recall", "macrorecall", "recallmacro", "rec", "r"),
    "f1": ("f1", "macrof1", "f1macro", "f1score", "macrof1score", "f1scoremacro", "fscore", "fmeasure", "f"),
}
ROLES = tuple(f"row_{i}" for i in range(1, 9))


class MetricTableParams(Params):
    """Rows and columns, and where the judge's own predictions come from."""

    rows: tuple[str, ...] = Field(min_length=1, max_length=8, description="Names of the rows, in the order row_1, ….")
    row_names: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="Row → other names accepted.")
    columns: tuple[Metric, ...] = Field(METRICS, min_length=1, description="Metrics that must be there.")
    average: Average = Field("macro", description="How precision, recall and F1 are averaged over classes.")
    targets: ArrayName = Field(description="The judge's labels.")
    label: LabelName = Field("test", description="Evaluated inputs, where predictions come from a training.")
    predictions: dict[str, str] = Field(default_factory=dict, description="Row → array of predictions or scores.")
    train_predictions: dict[str, str] = Field(
        default_factory=dict, description="The same on training data, to name it."
    )
    train_targets: ArrayName = Field("", description="Labels of those.")
    tolerance: float = Field(0.01, gt=0, lt=1, description="Largest difference of a number, as a fraction.")
    best_by: Metric = Field("f1", description="Which metric decides the best row.")


class MetricTable(Check):
    """A dict of dicts (row → metric → number or reversed), of lists (as DataFrame columns), or a list of rows.

    Predictions of row i come from `also: {row_i: observation}` or from an array. With `also: {best: observation}` the
    student's named best row must be the best measured one (a tie within the tolerance counts).
    """

    kind: ClassVar[str] = "metric_table"
    title: ClassVar[str] = "Table of results"
    probes: ClassVar[frozenset[str]] = frozenset({"call", "calls"})
    optional_roles: ClassVar[Mapping[str, frozenset[str]]] = {
        **{role: frozenset({"predict", "forward", "train"}) for role in ROLES},
        "best": frozenset({"call", "calls"}),
    }
    Params: ClassVar[type[Params]] = MetricTableParams

    def judge(self, observation: Observation, context: Context, params: MetricTableParams) -> Outcome:
        """Share of the numbers that agree; the likeliest mistake where they don't."""
        given = answers(observation, context)
        if (broken := raised(given, "Call your function yourself.")) is not None:
            return broken
        table = read_table(given[-1].value, params) if given else {}
        # Which numbers are wrong could be hidden inputs, bit by bit: then one of them is named.
        most_missing, most_wrong = (6, 4) if is_clean(observation) else (1, 1)
        missing = [f"{row}: {c}" for row in params.rows for c in params.columns if c not in table.get(row, {})]
        if missing:
            return failed(
                f"Missing in your table: {', '.join(missing[:most_missing])}"
                f"{' …' if len(missing) > most_missing else ''}.",
                f"One row for each of {', '.join(params.rows)}; columns {', '.join(params.columns)}.",
            )
        measured = _measured(context, params)
        if measured is None:
            return failed("The predictions behind the table could not be measured.", "Make the models run first.")
        gaps = [abs(table[r][c] - measured[r][c]) for r in params.rows for c in params.columns]
        found = Statistic.excess(max(gaps) / params.tolerance, "tolerance")
        wrong = _wrong(table, measured, params)
        if not wrong:
            return _best(measured, context, params).measured(found)
        cells = len(params.rows) * len(params.columns)
        shown = ", ".join(f"{row}: {c}" for row, c in wrong[:most_wrong]) + (" …" if len(wrong) > most_wrong else "")
        message = f"{len(wrong)} of {cells} numbers differ from what the grader measures ({shown})."
        hint = _cause(table, measured, context, params)
        return partial(0.5 * (1 - len(wrong) / cells), message, hint).measured(found)


Table = Mapping[str, Mapping[str, float]]


def read_table(value: Any, params: MetricTableParams) -> dict[str, dict[str, float]]:
    """A student's table as row → metric → number, with accepted names; cells that can't be read are left out."""
    table: dict[str, dict[str, float]] = {}
    if type(value) is list:
        for index, row in enumerate(value[:50]):
            if type(row) is not dict:
                continue
            said = [text for text in row.values() if type(text) is str]
            said += [params.rows[index]] if index < len(params.rows) else []
            name = next((known for text in said if (known := _row(text, params))), "")
            _put_all(table, name, row)
    elif type(value) is dict:
        keys = list(value.items())[:50]
        names = next((v for k, v in keys if _metric(k) == "" and type(v) is list and v and type(v[0]) is str), None)
        for key, item in keys:
            row, metric = _row(key, params), _metric(key)
            if type(item) is dict and row:
                _put_all(table, row, item)
            elif type(item) is dict and metric:
                for inner, cell in list(item.items())[:50]:
                    of = _row(inner, params) or (
                        params.rows[inner] if type(inner) is int and 0 <= inner < len(params.rows) else ""
                    )
                    _put_all(table, of, {metric: cell})
            elif type(item) in (list, tuple, np.ndarray) and metric:
                for index, cell in enumerate(_cells(item)):
                    named = names[index] if names is not None and index < len(names) else None
                    of = (
                        _row(named, params)
                        if named is not None
                        else params.rows[index]
                        if index < len(params.rows)
                        else ""
                    )
                    _put_all(table, of, {metric: cell})
            elif type(item) in (list, tuple, np.ndarray) and row:
                _put_all(table, row, dict(zip(params.columns, _cells(item), strict=False)))
    return table


def _cells(item: Any) -> list[Any]:
    if isinstance(item, np.ndarray):
        return [float(v) for v in item] if item.ndim == 1 and item.dtype.kind in "fiu" and item.size <= 50 else []
    return list(item[:50])


def _put_all(table: dict[str, dict[str, float]], row: str, cells: Mapping[Any, Any]) -> None:
    for key, cell in list(cells.items())[:50]:
        metric, value = _metric(key), number(cell)
        if row and metric and math.isfinite(value):
            table.setdefault(row, {}).setdefault(metric, value)


def _plain(name: Any) -> str:
    return "".join(c for c in word(name) if c.isalnum())


def _metric(name: Any) -> str:
    return next((metric for metric, names in NAMES.items() if _plain(name) in names), "")


def _row(name: Any, params: MetricTableParams) -> str:
    plain = _plain(name)
    rows = {row: {_plain(row), *map(_plain, params.row_names.get(row, ()))} for row in params.rows}
    return next((row for row, names in rows.items() if plain and plain in names), "")


def measure(labels: Array, predicted: Array, average: Average) -> dict[str, float]:
    """Accuracy, precision, recall and F1 as fractions; a class without predictions counts with precision 0."""
    classes = np.unique(np.concatenate([labels, predicted]))
    hits = np.array([float(((predicted == c) & (labels == c)).sum()) for c in classes])
    said = np.array([float((predicted == c).sum()) for c in classes])
    true = np.array([float((labels == c).sum()) for c in classes])
    accuracy = float((labels == predicted).mean())
    if average == "micro":
        return dict.fromkeys(METRICS, accuracy)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=true > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(hits), where=both > 0)
    weights = true if average == "weighted" else np.ones_like(true)
    rows = {"precision": precision, "recall": recall, "f1": f1}
    return {"accuracy": accuracy} | {name: float((v * weights).sum() / weights.sum()) for name, v in rows.items()}


def _measured(context: Context, params: MetricTableParams, average: Average | None = None) -> Table | None:
    """The judge's own table; None where predictions can't be read."""
    labels = labels_of(context.arrays, params.targets)
    table = {}
    for row, role in zip(params.rows, ROLES, strict=False):
        observation = context.also.get(role)
        if row in params.predictions:
            outputs: Any = np.asarray(context.arrays[params.predictions[row]])
        else:
            outputs = last_outputs(observation, params.label) if observation is not None else None
        predicted = predictions(outputs, len(labels))
        if predicted is None:
            return None
        table[row] = measure(labels, predicted, average or params.average)
    return table


def _on_training(context: Context, params: MetricTableParams) -> Table | None:
    if not params.train_targets or set(params.train_predictions) != set(params.rows):
        return None
    labels, table = labels_of(context.arrays, params.train_targets), {}
    for row, name in params.train_predictions.items():
        predicted = predictions(np.asarray(context.arrays[name]), len(labels))
        if predicted is None:
            return None
        table[row] = measure(labels, predicted, params.average)
    return table


def _wrong(table: Table, measured: Table, params: MetricTableParams) -> list[tuple[str, str]]:
    cells = [(row, column) for row in params.rows for column in params.columns]
    return [(r, c) for r, c in cells if not abs(table[r][c] - measured[r][c]) <= params.tolerance]


def _cause(table: Table, measured: Table, context: Context, params: MetricTableParams) -> str:
    """The mistake that explains the whole table."""

    def explains(other: Table | None, mine: Table = table) -> bool:
        return other is not None and not _wrong(mine, other, params)

    def turned(mapping: Mapping[str, str]) -> Table:
        return {row: {c: measured[row][mapping.get(c, c)] for c in METRICS} for row in params.rows}

    if explains(measured, {row: {c: v / 100 for c, v in cells.items()} for row, cells in table.items()}):
        return "These are percentages; fractions between 0 and 1 are asked for."
    for average in ("micro", "weighted", "macro"):
        if average != params.average and explains(_measured(context, params, average)):
            return f"These are {average} averages; {params.average} is asked for (average='{params.average}')."
    if explains(_on_training(context, params)):
        return "These are the numbers on the training data; measure on the test data."
    for one in METRICS:
        for other in METRICS:
            if one < other and explains(turned({one: other, other: one})):
                return f"The columns {one} and {other} are swapped."
    for i, one_row in enumerate(params.rows):
        for other_row in params.rows[i + 1 :]:
            swapped = {**measured, one_row: measured[other_row], other_row: measured[one_row]}
            if explains(swapped):
                return f"The rows {one_row} and {other_row} are swapped."
    return "Measure again with the models and the test data you hand in, in eval mode."


def _best(measured: Table, context: Context, params: MetricTableParams) -> Outcome:
    """Every number agrees; now the named best row, if it is asked for."""
    observation = context.also.get("best")
    if observation is None:
        return passed("Every number agrees with what the grader measures.")
    given = answers(observation, context)
    named = _row(given[-1].value, params) if given else ""
    top = max(cells[params.best_by] for cells in measured.values())
    if named and measured[named][params.best_by] >= top - params.tolerance:
        return passed(
            f"Every number agrees with what the grader measures, and {named} is the best by {params.best_by}."
        )
    said = f"{named} is not the best row by {params.best_by}." if named else "The best row is not named."
    return partial(
        0.5, f"The table agrees, but {said}", f"Name one of {', '.join(params.rows)}: the best in your table."
    )
