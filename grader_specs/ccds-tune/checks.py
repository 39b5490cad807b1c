"""Checks of this task alone: all biases start at zero; a student's own grid search, and the choice from it.

The rows of a student's search are pasted in, so nobody can measure them again. What can be told is whether they are the
six cells of the task, whether such numbers can come out of a training at all, and which of them is best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograder.checks._answers import answers, raised
from autograder.checks._trees import kind_of
from autograder.checks._values import brief, is_clean, number, rows, text
from autograder.checks.base import Check, Context, Params, as_array, failed, passed
from autograder.model import Observation, Outcome

Row = dict[str, float]
Trouble = tuple[str, str]  # what is wrong, what to try

MOST = 1e-6
MOST_LOSS = 10.0  # mean cross entropy; guessing among ten classes gives 2.3, and few networks exceed 5
MOST_ROWS = 1000  # that are looked at; a search has six
NEAR = 1e-4  # relative: float32 is closer, neighbours of a grid are farther apart
CELLS = tuple((batch, lr) for batch in (256, 512, 1024) for lr in (1e-4, 1e-3))
SHARES = ("train_accuracy", "val_accuracy", "test_accuracy")
MEASURED = ("train_accuracy", "val_accuracy", "val_loss", "test_accuracy")
KEYS = ("batch_size", "lr", *MEASURED)
HANDOUT = (0.7153, 0.6829, 0.9146, 0.6795)  # of the row that README.md shows; in the order of MEASURED
EMPTY = "Code outside of functions is not run: paste the six rows as numbers, behind the cell that trains."


class ZeroBiases(Check):
    """Every parameter called bias starts at zero. Layers without a bias are fine. Reported, not measured."""

    kind: ClassVar[str] = "zero_biases"
    title: ClassVar[str] = "Biases start at zero"
    probes: ClassVar[frozenset[str]] = frozenset({"behave"})
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation: Observation, _context: Context, _params: Params) -> Outcome:
        """Look at the largest absolute value of each; NaN is not zero."""
        weights = rows(observation.values.get("weights"))
        if not weights:
            return failed("The model has no parameters.", "Create the layers in __init__ as attributes of the model.")
        modes = [observation.values.get(mode) for mode in ("eval", "train")]
        if not all(isinstance(passes, list) and all(map(_finite, passes)) for passes in modes):
            return failed("The model answers with NaN or infinite numbers.", "Look for a division by zero.")
        biases = [row for row in weights if text(row.get("name")).endswith("bias")]
        wrong = [row for row in biases if not number(row.get("max")) <= MOST]
        if wrong:
            return failed(
                f"{len(wrong)} of {len(biases)} biases do not start at zero.",
                "Call nn.init.zeros_ on the bias of each convolution and each linear layer, in the same loop over "
                "self.modules() that initialises the weights.",
            )
        return passed(f"All {len(biases)} biases start at zero.")


class OwnTable(Check):
    """A student's rows are the six cells of the task, with numbers that a training can give, good ones or not."""

    kind: ClassVar[str] = "own_table"
    title: ClassVar[str] = "Your grid search"
    probes: ClassVar[frozenset[str]] = frozenset({"call"})
    own_word: ClassVar[bool] = True  # what is pasted in nobody measured
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation: Observation, _context: Context, _params: Params) -> Outcome:
        """Form first, then the cells, then the numbers."""
        given, told = observation.values.get("value"), is_clean(observation)
        if trouble := _form(given, told):
            return failed(*trouble)
        table = [read for row in given if (read := _row(row, KEYS)) is not None]
        for trouble in (_cells(table, told), _ranges(table), _copied(table), _twins(table), _impossible(table)):
            if trouble:
                return failed(*trouble)
        return passed("Six rows, one for each cell of the grid.")


class OwnBest(Check):
    """The student's choice among the student's own rows is the best of them, as the judge reckons it."""

    kind: ClassVar[str] = "own_best"
    title: ClassVar[str] = "The best of your cells"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {"table": frozenset({"call"})}
    own_word: ClassVar[bool] = True  # the rows it is held against are pasted in
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation: Observation, context: Context, _params: Params) -> Outcome:
        """Highest validation accuracy, then least validation loss; any of several that have both alike."""
        best = _best(context.also.get("table"))
        if not best:
            return failed("There is nothing to hold your choice against.", "Repair `results` first.")
        given = answers(observation, context)
        if outcome := raised(given, "`results` must have the form that best_cell is written for."):
            return outcome
        named = _pair(given[0].value) if given else None
        if named is None:
            return failed("best_cell(results) returns no pair of numbers.", "Return (batch_size, lr) of the best row.")
        if any(_near(named, cell) for cell in best):
            return passed("best_cell finds the best of your cells.")
        words = "best_cell(results) does not name the best of your cells."
        if is_clean(observation) and is_clean(context.also["table"]):
            words = f"best_cell(results) says {_named(named)}, but the best of your rows is {_named(best[0])}."
        return failed(
            words, "Take the row of the highest val_accuracy; of several that share it, the one of the least val_loss."
        )


def _form(given: Any, told: bool) -> Trouble | None:
    """What is wrong with the form of a table; None if it is a list of rows with six finite numbers."""
    if type(given) is dict:
        return "`results` is one dictionary, not a list of rows.", 'Of a DataFrame: results = df.to_dict("records").'
    if type(given) not in (list, tuple):
        return f"`results` is {kind_of(given, told=told)}, not a list of rows.", "Make it a list of six dictionaries."
    if not given:
        return "`results` is empty.", EMPTY
    if len(given) > MOST_ROWS:
        return (
            "`results` has far more rows than there are cells.",
            "Give each cell one row: what its training ended with.",
        )
    for place, row in enumerate(given, 1):
        if type(row) is not dict:
            return f"Row {place} of `results` is no dictionary.", f"Each row needs the keys {', '.join(KEYS)}."
        for key in KEYS:
            if key not in row:
                return f"Row {place} of `results` has no {key}.", f"Each row needs the keys {', '.join(KEYS)}."
            if trouble := _no_number(row[key]):
                return f"{key} in row {place} of `results` {trouble[0]}.", trouble[1]
    return None


def _no_number(value: Any) -> Trouble | None:
    if type(value) is str:
        return "is text", "Write numbers without quotes, and shares such as 0.72 without a sign for per cent."
    if value is None:
        return "is None", "Measure it for every cell and paste the number."
    found = _scalar(value)
    if found is None:
        return "is no single number", "Paste the last value of a history, not the whole; of a tensor take .item()."
    if not math.isfinite(found):
        return "is NaN or infinite", "Look for a division by zero where it is measured, or train this cell again."
    return None


def _cells(table: list[Row], told: bool) -> Trouble | None:
    """The cells of the task each once, in any order."""
    found = [next((cell for cell in CELLS if _near(_cell(row), cell)), None) for row in table]
    missing = [cell for cell in CELLS if cell not in found]
    if None in found:
        other = f": {_named(_cell(table[found.index(None)]))}" if told else ""
        return (
            f"`results` has a row for a cell that is not in the grid{other}.",
            "Train in the six cells of grid() and leave other trials out: batch_size 256, 512, 1024, lr 0.0001, 0.001.",
        )
    twice = next((cell for cell in CELLS if found.count(cell) > 1), None)
    if twice is not None:
        return (
            f"`results` has more than one row for the cell {_named(twice)}.",
            "Give each cell one row. If all rows came out alike, make a new dictionary for every cell.",
        )
    if missing:
        return (
            f"`results` has no row for: {', '.join(map(_named, missing))}.",
            "Train in all six cells of grid(), and paste a row for each.",
        )
    return None


def _ranges(table: list[Row]) -> Trouble | None:
    """Accuracies are shares, losses not negative."""
    for row in table:
        for key in SHARES:
            if row[key] > 1 + MOST:
                return (
                    f"{key} of the cell {_named(_cell(row))} is above 1.",
                    "Is it per cent? Accuracies are shares between 0 and 1: divide them by 100.",
                )
            if row[key] < 0:
                return (
                    f"{key} of the cell {_named(_cell(row))} is below 0.",
                    "Count right images; divide by all images.",
                )
        if row["val_loss"] < 0:
            return (
                f"val_loss of the cell {_named(_cell(row))} is below 0.",
                "Take the cross entropy of logits; nll_loss of something else than log-probabilities can be negative.",
            )
    return None


def _copied(table: list[Row]) -> Trouble | None:
    """No row is the handout's, and the six are not one row written six times. Some may well be equal."""
    measured = [tuple(row[key] for key in MEASURED) for row in table]
    for row, values in zip(table, measured, strict=True):
        if values == HANDOUT:
            return (
                f"The row of the cell {_named(_cell(row))} is the example of the handout.",
                "Replace it by what you measured.",
            )
    if len(set(measured)) == 1:
        return (
            "All six cells have the same numbers.",
            "Was one row copied? Build a new model for every cell, train it there, and measure that one.",
        )
    return None


def _twins(table: list[Row]) -> Trouble | None:
    """Two columns are the same number in all rows. Shares of whole per cents may be, by chance and rounding."""
    errors = [1 - row["val_accuracy"] for row in table]
    columns = {key: [row[key] for row in table] for key in MEASURED}
    if _alike(columns["val_loss"], errors) or _alike(columns["val_loss"], columns["val_accuracy"]):
        return (
            "val_loss is only val_accuracy again (or 1 minus it) in all six rows.",
            "val_loss is the mean cross entropy over the validation images, F.cross_entropy(logits, labels).",
        )
    for one, other in (SHARES[:2], SHARES[1:], SHARES[::2]):
        if _alike(columns[one], columns[other]):
            return (
                f"{one} and {other} are the same number in all six rows.",
                "Was one copied, or were both measured on the same images? Measure each on its own part of the data.",
            )
    return None


def _alike(one: list[float], other: list[float]) -> bool:
    near = all(abs(a - b) <= MOST for a, b in zip(one, other, strict=True))
    return near and any(abs(100 * a - round(100 * a)) > 100 * MOST for a in one)


def _impossible(table: list[Row]) -> Trouble | None:
    """A wrong image has a probability of at most 1/2 for its class, so it adds ln 2 or more to the loss.

    A tenth and 0.05 are left for rounding and for means of batches of unequal sizes.
    """
    for row in table:
        if row["val_loss"] > MOST_LOSS:
            return (
                f"The val_loss of the cell {_named(_cell(row))} is too large for a mean cross entropy of ten classes.",
                "Is it a sum? Divide a sum over images by the number of images, a sum of means of batches by the "
                "number of batches.",
            )
        if row["val_loss"] < 0.9 * math.log(2) * (1 - row["val_accuracy"]) - 0.05:
            return (
                f"The val_loss of the cell {_named(_cell(row))} is too small for its val_accuracy.",
                "val_loss is the mean cross entropy. A sum of means of batches is divided by the number of batches, "
                "not of images. Are both from the same network and the same images?",
            )
    return None


def _best(table: Observation | None) -> list[tuple[float, float]]:
    """The best cell of a student's rows, or several that are equally good; empty if there are none to read."""
    given = table.values.get("value") if table is not None else None
    if type(given) not in (list, tuple) or not 0 < len(given) <= MOST_ROWS:
        return []
    keys = ("batch_size", "lr", "val_accuracy", "val_loss")
    found = [_row(row, keys) if type(row) is dict else None for row in given]
    read = [row for row in found if row is not None]
    if len(read) < len(found):
        return []
    top = min((-row["val_accuracy"], row["val_loss"]) for row in read)
    return [_cell(row) for row in read if (-row["val_accuracy"], row["val_loss"]) == top]


def _row(given: Mapping[str, Any], keys: tuple[str, ...]) -> Row | None:
    """The finite numbers under the keys, or None."""
    found = {key: _scalar(given.get(key)) for key in keys}
    read = {key: value for key, value in found.items() if value is not None and math.isfinite(value)}
    return read if len(read) == len(keys) else None


def _scalar(value: Any) -> float | None:
    """A number, or an array of one, as a float; None for anything else, True and False among it."""
    if isinstance(value, np.ndarray | np.generic):
        array = as_array(np.asarray(value)) if value.size == 1 and value.dtype.kind in "fiu" else None
        return None if array is None else float(array.flat[0])
    return number(value) if type(value) in (int, float) else None


def _pair(value: Any) -> tuple[float, float] | None:
    """Two numbers in a list, tuple or array, or None."""
    if isinstance(value, np.ndarray):
        value = list(value) if value.shape == (2,) else None
    if type(value) not in (list, tuple) or len(value) != 2:
        return None
    first, second = _scalar(value[0]), _scalar(value[1])
    return None if first is None or second is None else (first, second)


def _cell(row: Row) -> tuple[float, float]:
    return row["batch_size"], row["lr"]


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= NEAR * abs(b) for a, b in zip(one, other, strict=True))


def _named(cell: tuple[float, float]) -> str:
    """A cell as a student reads it."""
    return f"({cell[0]:.4g}, {brief(cell[1])})"


def _finite(value: Any) -> bool:
    """True for an array or tree of finite numbers."""
    array = as_array(value)
    return array is not None and bool(np.isfinite(array).all())
