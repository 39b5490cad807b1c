"""accuracy: the share of hidden examples that the trained model gets right."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from autograder.checks.base import ArrayName, Check, Context, LabelName, Params, failed, partial, passed
from autograder.checks.measures import labels_of, last_outputs, predictions
from autograder.model import Observation, Outcome, Statistic


class AccuracyParams(Params):
    """Whose answers, and how good they must be."""

    label: LabelName = Field("test", description="For a training: which evaluated inputs.")
    targets: ArrayName = Field(description="The judge's labels.")
    min: float = Field(ge=0, le=1, description="Below this there are no points.")
    full: float | None = Field(None, ge=0, le=1, description="From here on all points; between, in proportion.")


class Accuracy(Check):
    """Accuracy measured by the judge on labels the student's process never had."""

    kind: ClassVar[str] = "accuracy"
    title: ClassVar[str] = "Accuracy on hidden examples"
    probes: ClassVar[frozenset[str]] = frozenset({"train", "predict", "forward"})
    Params: ClassVar[type[Params]] = AccuracyParams

    def judge(self, observation: Observation, context: Context, params: AccuracyParams) -> Outcome:
        """Compare predictions with labels."""
        labels = labels_of(context.arrays, params.targets)
        predicted = predictions(last_outputs(observation, params.label), len(labels))
        if predicted is None:
            return failed(
                "There are no usable predictions.",
                "The model must return one row of finite scores for each example, also after training.",
            )
        accuracy = float((predicted == labels).mean())
        goal = params.min if params.full is None else params.full
        evidence = {"accuracy": f"{accuracy:.3f}", "asked for": f"{goal:.3f}"}
        holds = "min" if params.full is None else "full"
        found = Statistic.share("accuracy", accuracy, goal, "above", holds, len(labels))
        if accuracy >= goal:
            return passed(f"Accuracy {accuracy:.3f} (asked for: {goal:.3f}).", **evidence).measured(found)
        hint = "See the loss curve: does training lower the loss at all, and is the validation loss still falling?"
        if not accuracy >= params.min:
            message = f"Accuracy {accuracy:.3f}; at least {params.min:.3f} is asked for."
            return failed(message, hint, **evidence).measured(found)
        share = 0.5 + 0.5 * (accuracy - params.min) / (goal - params.min)
        message = f"Accuracy {accuracy:.3f}; full points from {goal:.3f}."
        return partial(share, message, hint, **evidence).measured(found)
