"""classification_report: confusion matrix, macro precision, recall and F1 on hidden examples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from autograder.checks.base import Array, ArrayName, Check, Context, LabelName, Params, failed, passed
from autograder.checks.measures import labels_of, last_outputs, predictions
from autograder.model import Observation, Outcome, Statistic


class ClassificationReportParams(Params):
    """Whose answers, and how good they must be."""

    label: LabelName = Field("test", description="For a training: which evaluated inputs.")
    targets: ArrayName = Field(description="The judge's labels.")
    min_macro_f1: float = Field(ge=0, le=1, description="Macro F1 asked for.")
    max_class_share: float = Field(0.9, gt=0, le=1, description="More predictions than this of one class fail.")


class ClassificationReport(Check):
    """Macro F1 by scikit-learn (zero where a class is never predicted), with the confusion matrix as evidence."""

    kind: ClassVar[str] = "classification_report"
    title: ClassVar[str] = "Every class"
    probes: ClassVar[frozenset[str]] = frozenset({"train", "predict", "forward"})
    Params: ClassVar[type[Params]] = ClassificationReportParams

    def judge(self, observation: Observation, context: Context, params: ClassificationReportParams) -> Outcome:
        """Look at one-class answers first, then at macro F1."""
        labels = labels_of(context.arrays, params.targets)
        predicted = predictions(last_outputs(observation, params.label), len(labels))
        if predicted is None:
            return failed(
                "There are no usable predictions.",
                "The model must return one row of finite scores for each example, also after training.",
            )
        classes = np.arange(max(int(labels.max()) + 1, len(context.class_names)))
        names = list(context.class_names) or [str(c) for c in classes]
        precision, recall, f1, _ = precision_recall_fscore_support(
            labels, predicted, labels=classes, average="macro", zero_division=0
        )
        evidence = {
            "macro precision": f"{precision:.3f}",
            "macro recall": f"{recall:.3f}",
            "macro F1": f"{f1:.3f}",
            "plots": [_plot(labels, predicted, classes, names)],
        }
        favourite, share = _favourite(predicted)
        found = (
            Statistic.share("macro_f1", float(f1), params.min_macro_f1, "above", "min_macro_f1", len(labels)),
            Statistic.share("class_share", share, params.max_class_share, "below", "max_class_share", len(labels)),
        )
        if share > params.max_class_share:
            name = names[favourite] if 0 <= favourite < len(names) else "none of the classes"
            return failed(
                f"{share:.0%} of all predictions are “{name}”.",
                "The model answers the same whatever it sees: it has not learned, or it saw the classes one after "
                "the other (is the training set shuffled?).",
                **evidence,
            ).measured(*found)
        if not f1 >= params.min_macro_f1:
            return failed(
                f"Macro F1 {f1:.3f}; at least {params.min_macro_f1:.3f} is asked for.",
                "Look at the confusion matrix: which classes are taken for each other?",
                **evidence,
            ).measured(*found)
        return passed(f"Macro F1 {f1:.3f} (asked for: {params.min_macro_f1:.3f}).", **evidence).measured(*found)


def _favourite(predicted: Array) -> tuple[int, float]:
    values, counts = np.unique(predicted, return_counts=True)
    best = int(counts.argmax())
    return int(values[best]), float(counts[best] / len(predicted))


def _plot(labels: Array, predicted: Array, classes: Array, names: list[str]) -> dict[str, object]:
    rows = confusion_matrix(labels, predicted, labels=classes)
    return {"kind": "confusion_matrix", "title": "Confusion matrix", "labels": names, "matrix": rows.tolist()}
