"""The check type metric_table: ways to write a table, and mistakes that explain one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from autograder.checks.base import Context
from autograder.checks.metric_table import METRICS, Average, measure
from autograder.model import Observation, Outcome, Verdict
from tests.checks.contract.metric_table import CONTEXT, LABELS, PARAMS, PREDICTED
from tests.checks.examples import judge


def table(average: Average = "macro") -> dict[str, dict[str, float]]:
    return {row: measure(LABELS, predicted, average) for row, predicted in PREDICTED.items()}


def said(value: Any, context: Context = CONTEXT, **params: Any) -> Outcome:
    return judge("metric_table", "call", {"value": value}, context=context, **{**PARAMS, **params})


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_metrics_agree_with_scikit_learn(average: Average) -> None:
    for predicted in PREDICTED.values():
        p, r, f, _ = precision_recall_fscore_support(LABELS, predicted, average=average, zero_division=0)
        expected = {"accuracy": accuracy_score(LABELS, predicted), "precision": p, "recall": r, "f1": f}
        assert measure(LABELS, predicted, average) == pytest.approx(expected)


def columns(names: dict[str, str]) -> dict[str, Any]:
    return {said_as: [table()[row][metric] for row in ("one", "two")] for metric, said_as in names.items()}


PLAIN = {"accuracy": "Accuracy", "precision": "Macro Precision", "recall": "recall", "f1": "F1-score"}


@pytest.mark.parametrize(
    "value",
    [
        table(),
        {"One": table()["one"], "two": {"Acc": 0.6, "precision_macro": 0.69, "Recall": 0.556, "macro F1": 0.542}},
        columns(PLAIN),
        {"model": ["two", "one"], **{k: v[::-1] for k, v in columns(PLAIN).items()}},
        [{"model": row, **cells} for row, cells in table().items()],
        [table()["one"], table()["two"]],
        {metric: {row: table()[row][metric] for row in ("one", "two")} for metric in METRICS},
        {metric: {i: table()[row][metric] for i, row in enumerate(("one", "two"))} for metric in METRICS},
        {row: [cells[m] for m in METRICS] for row, cells in table().items()},
        {row: np.array([cells[m] for m in METRICS]) for row, cells in table().items()},
    ],
)
def test_tables_are_read_in_the_ways_that_students_write_them(value: Any) -> None:
    outcome = said(value)
    assert outcome.verdict is Verdict.PASSED, outcome.message


def swapped(one: str, other: str) -> dict[str, dict[str, float]]:
    return {row: {**cells, one: cells[other], other: cells[one]} for row, cells in table().items()}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({row: {m: 100 * v for m, v in cells.items()} for row, cells in table().items()}, "percentages"),
        (table("micro"), "micro averages"),
        (table("weighted"), "weighted averages"),
        (swapped("precision", "recall"), "columns precision and recall"),
        (swapped("accuracy", "f1"), "columns accuracy and f1"),
        ({"one": table()["two"], "two": table()["one"]}, "rows one and two"),
        ({row: dict.fromkeys(METRICS, 0.99) for row in table()}, "Measure again"),
    ],
)
def test_mistakes_are_named(value: Any, words: str) -> None:
    outcome = said(value, tolerance=0.004)
    assert outcome.verdict is not Verdict.PASSED
    assert words in outcome.hint


def test_numbers_of_the_training_data_are_named() -> None:
    train = {"train_labels": LABELS, "train_one": LABELS, "train_two": (LABELS + 1) % 3}
    context = replace(CONTEXT, arrays={**CONTEXT.arrays, **train})
    names: dict[str, Any] = {
        "train_targets": "train_labels", "train_predictions": {"one": "train_one", "two": "train_two"}
    }  # fmt: skip
    value = {"one": dict.fromkeys(METRICS, 1.0), "two": dict.fromkeys(METRICS, 0.0)}
    assert "training data" in said(value, context, **names).hint


def test_just_inside_and_just_outside_the_tolerance() -> None:
    value = table()
    value["two"]["f1"] += 0.0099
    assert said(value).verdict is Verdict.PASSED
    value["two"]["f1"] += 0.0002
    outcome = said(value)
    assert outcome.verdict is Verdict.PARTIAL
    assert "1 of 8 numbers" in outcome.message


@pytest.mark.parametrize("value", [{}, {"one": table()["one"]}, {"one": {"f1": float("nan")}}, [0.5] * 8, None, "0.8"])
def test_what_is_missing_is_named(value: Any) -> None:
    outcome = said(value)
    assert outcome.verdict is Verdict.FAILED
    assert "Missing in your table" in outcome.message


def test_predictions_come_from_other_observations_too() -> None:
    also = {f"row_{i}": Observation("predict", {"outputs": p}) for i, p in enumerate(PREDICTED.values(), 1)}
    context = Context({"labels": LABELS}, also=also)
    assert said(table(), context, predictions={}).verdict is Verdict.PASSED
    assert said(table(), replace(context, also={}), predictions={}).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("named", "passes"), [("one", True), ("One ", True), ("two", False), ("three", False), (None, False)]
)
def test_the_named_best_row_must_be_the_best_measured(named: Any, passes: bool) -> None:
    context = replace(CONTEXT, also={"best": Observation("call", {"value": named})})
    assert (said(table(), context).verdict is Verdict.PASSED) == passes


def test_how_near_the_tolerance_numbers_are_is_measured() -> None:
    off = table()
    off["one"]["f1"] += 0.009
    near = said(off, tolerance=0.01)
    assert (near.verdict, round(near.statistics[0].margin, 4)) == (Verdict.PASSED, 0.1)
    assert said("no table").statistics == ()
