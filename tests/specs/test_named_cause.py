"""The check type of ccds-cnn-2-sigmoid: what students call vanishing gradients, and what is something else."""

from __future__ import annotations

import pytest

from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Outcome, Verdict
from autograder.specs.loader import load_spec

RIGHT = (
    "vanishing gradients",
    "Vanishing gradients, it doesn't overfit",
    "the gradients are too small",
    "tiny gradients",
    "gradients shrink at every sigmoid",
    "gradients become zero",
    "the gradient at the first convolution is almost 0",
    "The gradient fades on its way to the first layer",
    "sigmoid's derivative is close to zero",
    "the derivative of the sigmoid is small, at most 1/4",
    "the sigmoids saturate and kill the gradients",
    "not exploding gradients but diminishing gradients",
    "The gradients, which pass two sigmoids, are nearly zero",
    "the gradients die out",
    "dying gradients",
    "the gradient gets lost in the sigmoids",
    "gradient decay through sigmoid layers",
    "squashes the gradient to almost nothing",
    "the gradient disappears on the way to the first layers",
    "sigmoid derivatives are at most 0.25, and two of them are multiplied",
    "vanishing gradients; a higher learning rate does not help",
    "vanishing gradients. The learning rate isn't the problem",
    "Overfitting is not the cause, the gradients vanish",
)
WRONG = (
    "exploding gradients",
    "overfitting",
    "the learning rate is too small",
    "dead ReLUs",
    "the gradients are not small",
    "the gradients don't become zero",
    "no vanishing gradients",
    "forgot to set the gradients to zero",
    "zero_grad is missing",
    "vanishing gradients or overfitting",
    "the accuracy saturates",
    "the gradients are 0.9 at every layer",
    "the gradients are not lost",
    "vanishing gradients, and the learning rate is not high enough",
    "vanishing gradients, and the learning rate does what it likes",
    "overfitting is not the cause",
    "the network is too small",
    "sigmoid",
)


CAUSE = next(c for c in load_spec(settings().specs_dir / "ccds-cnn-2-sigmoid").checks if c.spec.id == "cause")


def named(text: str) -> Outcome:
    return CAUSE.check.judge(Observation("call", {"value": text}), Context(), CAUSE.params)


@pytest.mark.parametrize("text", RIGHT)
def test_the_right_cause_is_known_by_many_words(text: str) -> None:
    outcome = named(text)
    assert outcome.verdict is Verdict.PASSED, outcome.message


@pytest.mark.parametrize("text", WRONG)
def test_another_cause_or_two_of_them_earn_nothing(text: str) -> None:
    outcome = named(text)
    assert outcome.verdict is Verdict.FAILED, outcome.message
