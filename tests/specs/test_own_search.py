"""ccds-tune: a student's own grid search, in the forms that right ones have, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Outcome, Verdict
from autograder.specs.loader import load_spec

CHECKS = {check.spec.id: check for check in load_spec(settings().specs_dir / "ccds-tune").checks}
KEYS = ("train_accuracy", "val_accuracy", "val_loss", "test_accuracy")
MEASURED = [
    (0.6874, 0.6713, 0.9412, 0.6688),
    (0.9316, 0.7598, 0.7743, 0.7561),
    (0.6231, 0.6192, 1.0735, 0.6204),
    (0.9127, 0.7642, 0.8035, 0.7539),
    (0.5518, 0.5561, 1.2466, 0.5603),
    (0.8713, 0.7607, 0.7216, 0.7612),
]
Table = list[dict[str, Any]]


def table() -> Table:
    cells = [(batch, lr) for batch in (256, 512, 1024) for lr in (1e-4, 1e-3)]
    return [
        {"batch_size": batch, "lr": lr, **dict(zip(KEYS, row, strict=True))}
        for (batch, lr), row in zip(cells, MEASURED, strict=True)
    ]


def of_table(value: Any) -> Outcome:
    check = CHECKS["own_table"]
    seen = Observation("call", {"value": value, "tainted": False})
    return check.check.judge(seen, Context(), check.params_for("standin"))


def of_choice(said: Any, rows: Any) -> Outcome:
    check = CHECKS["own_best"]
    answer = {"error": {"type": "TypeError", "message": "bad operand"}} if said is TypeError else {"value": said}
    seen = Observation("calls", {"answers": [answer], "cases": "own_best", "tainted": False})
    beside = Context(also={"table": Observation("call", {"value": rows, "tainted": False})})
    return check.check.judge(seen, beside, check.params_for("standin"))


def changed(place: int, **values: Any) -> Table:
    rows = table()
    rows[place] |= values
    return rows


def numbers(make: Callable[[Any], Any]) -> Table:
    return [{key: make(value) for key, value in row.items()} for row in table()]


def test_right_tables_pass_in_any_form() -> None:
    equal = table()
    for key in KEYS:  # small validation sets give equal numbers
        equal[1][key] = equal[3][key]
    learned_nothing = [row | {"train_accuracy": 0.1, "val_accuracy": 0.1, "test_accuracy": 0.1} for row in table()]
    for rows in (
        table(),
        table()[::-1],
        tuple(table()),
        numbers(np.float32),
        numbers(lambda value: np.array(value, dtype=np.float32)),
        numbers(lambda value: np.array([value])),
        [row | {"epochs": 20, "comment": "mine"} for row in table()],
        [{key: round(value, 1) if key in KEYS else value for key, value in row.items()} for row in table()],
        changed(0, batch_size=256.0, lr=0.00010000001),
        changed(0, train_accuracy=1, val_accuracy=1.0, val_loss=0),
        changed(0, val_accuracy=0.0, val_loss=3.0),
        equal,
        [*changed(3, val_accuracy=0.7539)[:5], table()[5] | {"train_accuracy": 0.7607}],
        [row | {key: round(row["test_accuracy"], 2) for key in ("val_accuracy", "test_accuracy")} for row in table()],
        changed(0, val_loss=9.9),
        [row | {"val_loss": 2.3 + place / 1000} for place, row in enumerate(learned_nothing)],
    ):
        outcome = of_table(rows)
        assert outcome.verdict is Verdict.PASSED, outcome.message


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "empty"),
        (None, "is None, not a list"),
        ({"batch_size": [256] * 6}, "to_dict"),
        ([(256, 1e-4, 0.7, 0.7, 0.9, 0.7)] * 6, "Row 1 of `results` is no dictionary"),
        ([{key: value for key, value in row.items() if key != "val_loss"} for row in table()], "no val_loss"),
        (changed(2, val_accuracy="61.92%"), "val_accuracy in row 3 of `results` is text"),
        (changed(2, test_accuracy=None), "test_accuracy in row 3 of `results` is None"),
        (changed(2, val_loss=float("nan")), "NaN or infinite"),
        (changed(2, val_loss=[1.2, 0.9]), "Paste the last value"),
        (changed(2, val_loss=np.array([1.2, 0.9])), "Paste the last value"),
        (changed(2, val_accuracy=True), "no single number"),
        (table()[:5], "no row for: (1024, 0.001)"),
        ([*table(), table()[0]], "more than one row for the cell (256, 0.0001)"),
        (changed(4, lr=1e-2), "not in the grid: (1024, 0.01)"),
        (changed(4, batch_size=128), "not in the grid: (128, 0.0001)"),
        (changed(1, train_accuracy=93.16), "per cent"),
        (changed(1, train_accuracy=-0.1), "below 0"),
        (changed(1, val_loss=-0.1), "below 0"),
        ([row | dict(zip(KEYS, MEASURED[0], strict=True)) for row in table()], "All six cells have the same numbers"),
        (changed(0, val_loss=0.9412 / 256), "number of batches"),
        (changed(3, val_loss=92), "(512, 0.001) is too large"),
        ([row | {"val_accuracy": row["train_accuracy"]} for row in table()], "train_accuracy and val_accuracy are the"),
        ([row | {"val_accuracy": row["test_accuracy"]} for row in table()], "val_accuracy and test_accuracy are the"),
        ([row | {"test_accuracy": row["train_accuracy"]} for row in table()], "train_accuracy and test_accuracy are"),
        ([row | {"val_loss": 1 - row["val_accuracy"]} for row in table()], "mean cross entropy"),
    ],
)
def test_wrong_tables_are_told_what_to_do(rows: Any, words: str) -> None:
    outcome = of_table(rows)
    assert outcome.verdict is Verdict.FAILED
    assert words in f"{outcome.message} {outcome.hint}"
    assert outcome.hint


def test_the_row_of_the_handout_is_known() -> None:
    handout = (settings().specs_dir / "ccds-tune" / "README.md").read_text(encoding="utf-8")
    shown = next(line for line in handout.splitlines() if line.lstrip().startswith('{"batch_size": 256, "lr": 0.0001'))
    row = {key: float(shown.split(f'"{key}": ')[1].split(",")[0].strip("}")) for key in KEYS}
    assert "example of the handout" in of_table(changed(0, **row)).message


@pytest.mark.parametrize("said", [(512, 1e-3), [512, 0.001], np.array([512, 1e-3], dtype=np.float32), [512.0, 0.001]])
def test_the_best_cell_of_the_own_table_passes(said: Any) -> None:
    assert of_choice(said, table()).verdict is Verdict.PASSED
    assert of_choice(said, numbers(np.float32)).verdict is Verdict.PASSED


def test_any_of_several_equally_good_cells_passes() -> None:
    rows = changed(1, val_accuracy=0.7642, val_loss=0.8035)
    assert of_choice((256, 1e-3), rows).verdict is Verdict.PASSED
    assert of_choice((512, 1e-3), rows).verdict is Verdict.PASSED
    rows[1]["val_loss"] = 0.8034
    assert of_choice((512, 1e-3), rows).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("said", "rows", "words"),
    [
        ((1024, 1e-3), table(), "says (1024, 0.001), but the best of your rows is (512, 0.001)"),
        ((1e-3, 512), table(), "best of your rows"),
        (table()[3], table(), "Return (batch_size, lr)"),
        (None, table(), "Return (batch_size, lr)"),
        (TypeError, table(), "The call raised"),
        ((512, 1e-3), changed(0, val_loss="low"), "Repair `results` first"),
        ((512, 1e-3), [], "Repair `results` first"),
        ((512, 1e-3), None, "Repair `results` first"),
    ],
)
def test_another_choice_is_told_what_to_do(said: Any, rows: Any, words: str) -> None:
    outcome = of_choice(said, rows)
    assert outcome.verdict is Verdict.FAILED
    assert words in f"{outcome.message} {outcome.hint}"
    assert outcome.hint
