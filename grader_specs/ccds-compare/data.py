"""Cases of ccds-compare: models with known weights, inputs and targets, and tables to choose from.

A model is a linear classifier, so its predictions are known here; scikit-learn gives the right measures. Groups of
`compare`: `balanced` (as many examples of every class), `uneven` (frequent and rare ones; drawn until macro, micro and
weighted averages differ), `collapsed` (models that never predict some class) and `dropout`. Lists named `…_examples`
are public, the others hidden. `own_best` gives the student's own table to the student's
function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from autograder.specs.dataset import Case, DataSet, Ref

Array = np.ndarray[Any, Any]
Rng = np.random.Generator
MARGIN = 0.01  # between the two largest logits, so that rounding decides no prediction
APART = 0.03  # between averages that must not be taken for each other
MEASURES = ("accuracy", "precision", "recall", "f1")


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """The one data set, `standin`. The same arguments give the same cases."""
    if name != "standin":
        return None
    rng = np.random.default_rng([seed, 13])
    public = [_compare_case(rng, "balanced", 1, 3, 12), _compare_case(rng, "uneven", 2, 3, 30)]
    public += [_compare_case(rng, "collapsed", 2, 4, 40), _compare_case(rng, "dropout", 2, 4, 60)]
    seen = {value for case in public for value in _values(case)}
    hidden = [
        _compare_case(rng, group, models, classes, 31 * classes, seen)
        for group in ("balanced", "uneven", "collapsed", "dropout")
        for models, classes in ((1, 3), (2, 5), (4, 10), (4, 10))
    ]
    hidden.append(
        _compare_case(rng, "balanced", 3, 13, 13, seen)
    )  # as many examples as classes: axes can't be told by size
    lists = {
        "compare_examples": public,
        "compare": hidden,
        "best_examples": [_best_case(rng, list(_names(rng, rows))) for rows in (1, 2, 4)],
        "best": [_best_case(rng, _other_names(rng, rows)) for rows in (1, 2, 2, 3, 3, 4, 4, 4, 4, 7)],
        "own_best": [Case(arguments=(Ref("entry", "results"),))],
    }
    cases = {key: tuple(sorted(found, key=lambda case: case.size)) for key, found in lists.items()}
    return DataSet(name=name, cases=cases, hidden=frozenset({"compare", "best"}))


# --- models to compare ------------------------------------------------------------------------------------------------


def _compare_case(
    rng: Rng, group: str, models: int, classes: int, rows: int, seen: frozenset[float] | set[float] = frozenset()
) -> Case:
    """Draws until the averages that a student might mix up differ for some model, and no value was seen before."""
    while True:
        case = _draw(rng, group, models, classes, rows)
        if case is not None and not seen & _values(case):
            return case


def _values(case: Case) -> set[float]:
    """The numbers of the right answer, as they would be printed."""
    return {round(value, 5) for row in case.expected.values() for value in row.values()}


def _draw(rng: Rng, group: str, models: int, classes: int, rows: int) -> Case | None:
    shape = (3, 4, 4)
    features = int(np.prod(shape))
    prototypes = rng.normal(size=(classes, features))
    targets = rng.permutation(_targets(rng, group, classes, 2 * rows))
    inputs = (prototypes[targets] + rng.normal(scale=3.0, size=(len(targets), features))).round(2).astype(np.float32)
    weights = {
        name: _weights(rng, group, prototypes, noise)
        for name, noise in zip(_names(rng, models), rng.permutation([0.2, 0.6, 1.0, 1.6])[:models], strict=False)
    }
    logits = {name: inputs.astype(np.float64) @ weight.T + bias for name, (weight, bias) in weights.items()}
    ranked = {name: np.sort(values, axis=1) for name, values in logits.items()}
    clear = np.all([values[:, -1] - values[:, -2] > MARGIN for values in ranked.values()], axis=0)
    kept = _kept(group, targets, clear, classes, rows)
    if kept is None:
        return None
    targets, inputs = targets[kept], inputs[kept]
    predicted = {name: values[kept].argmax(axis=1) for name, values in logits.items()}
    if group == "uneven" and not any(_averages_differ(targets, said) for said in predicted.values()):
        return None
    if group == "collapsed" and all(len(set(said.tolist())) == classes for said in predicted.values()):
        return None
    given = {
        name: Ref("given_model", weight=weight, bias=bias, dropout=0.5 if group == "dropout" else 0.0, train=True)
        for name, (weight, bias) in weights.items()
    }
    expected = {name: measures(targets, said) for name, said in predicted.items()}
    arguments = (given, inputs.reshape(-1, *shape), targets.astype(np.int64))
    return Case(arguments=arguments, expected=expected, size=float(models * classes), group=group)


def _kept(group: str, targets: Array, clear: Array, classes: int, rows: int) -> Array | None:
    """Indices of at most `rows` examples whose prediction is clear, of every class; None if there are too few."""
    usable = np.flatnonzero(clear)
    if group in ("balanced", "dropout"):
        each = [usable[targets[usable] == label][: rows // classes] for label in range(classes)]
        return np.sort(np.concatenate(each)) if all(len(found) == rows // classes for found in each) else None
    kept = usable[:rows]
    return kept if len(set(targets[kept].tolist())) == classes else None


def measures(targets: Array, predicted: Array) -> dict[str, float]:
    """Accuracy and macro averages."""
    precision, recall, f1, _ = precision_recall_fscore_support(targets, predicted, average="macro", zero_division=0)
    values = (accuracy_score(targets, predicted), precision, recall, f1)
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}


def _averages_differ(targets: Array, predicted: Array) -> bool:
    """True if macro precision, recall and F1 each lie apart from the weighted one, accuracy and each other."""
    size = int(targets.max()) + 1
    matrix = np.bincount(targets * size + predicted, minlength=size * size).reshape(size, size)  # faster than sklearn
    right, said, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    each = np.array([right / np.maximum(said, 1), right / true, 2 * right / (said + true)])
    macro, weighted, accuracy = each.mean(axis=1), each @ true / len(targets), right.sum() / len(targets)
    of_means = 2 * macro[0] * macro[1] / max(macro[0] + macro[1], 1e-9)
    apart = [*np.abs(macro - weighted), *np.abs(macro - accuracy)]
    return bool(min([*apart, abs(macro[0] - macro[1])]) > APART and abs(macro[2] - of_means) > APART / 3)


def _targets(rng: Rng, group: str, classes: int, rows: int) -> Array:
    """Classes of the examples, each at least twice; uneven: every class a fraction as frequent as the one before."""
    if group not in ("uneven", "collapsed"):
        return np.arange(rows) % classes
    share = rng.permutation(0.6 ** np.arange(classes))
    drawn = rng.choice(classes, size=rows - 2 * classes, p=share / share.sum())
    return np.concatenate([np.tile(np.arange(classes), 2), drawn])


def _weights(rng: Rng, group: str, prototypes: Array, noise: float) -> tuple[Array, Array]:
    """Weights (C, F) and biases (C,) of a linear model: less noise is better; collapsed: some classes get none."""
    classes = len(prototypes)
    weight = prototypes / 4 + rng.normal(scale=noise / 2, size=prototypes.shape)
    bias = rng.normal(scale=0.5, size=classes)
    if group == "collapsed":
        bias[rng.permutation(classes)[: (classes + 1) // 3]] -= 1000
    return weight.round(3).astype(np.float32), bias.round(3).astype(np.float32)


def _names(rng: Rng, count: int) -> Iterator[str]:
    pool = ["architecture 1", "architecture 2", "architecture 3", "architecture 4", "baseline", "wide", "CNN-7"]
    return (str(name) for name in rng.permutation(pool)[:count])


def _other_names(rng: Rng, count: int) -> list[str]:
    """Names that stand in no handout."""
    letters = list("abcdefghijklmnopqrstuvwxyz")
    return ["-".join("".join(rng.choice(letters, size=4)) for _ in range(2)) for _ in range(count)]


# --- tables to choose from --------------------------------------------------------------------------------------------


def _best_case(rng: Rng, names: list[str]) -> Case:
    """A table whose best row by F1 is, where there are several, another one by accuracy, precision and recall."""
    rows = len(names)
    while True:
        table = {name: _row(rng) for name in names}
        best = {key: max(names, key=lambda name, key=key: table[name][key]) for key in MEASURES}
        first = sorted(row["f1"] for row in table.values())[::-1]
        clear = rows == 1 or (first[0] - first[1] > 0.01 and best["f1"] not in {best[key] for key in MEASURES[:3]})
        if clear:
            return Case(arguments=(table,), expected=best["f1"], size=float(rows))


def _row(rng: Rng) -> Mapping[str, float]:
    return {key: float(value) for key, value in zip(MEASURES, rng.uniform(0.2, 0.95, size=4).round(4), strict=True)}
