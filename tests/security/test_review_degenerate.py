"""Answers that took no learning, or that fit no shape, must earn nothing and must not be taken for a fault of ours."""

from __future__ import annotations

import numpy as np

from autograder.checks.base import Array, Context
from autograder.checks.batch_independence import BatchIndependence, BatchIndependenceParams
from autograder.checks.loss_curve import LossCurve, LossCurveParams
from autograder.model import Observation, Outcome, Verdict

LABELS = np.arange(200) % 10


def curve_of(*outputs: Array) -> Outcome:
    epochs = [{"epoch": number, "outputs": {"val": output}} for number, output in enumerate(outputs)]
    context = Context({"labels": LABELS})
    return LossCurve().judge(Observation("train", {"epochs": epochs}), context, LossCurveParams(targets="labels"))


def test_a_loud_start_is_no_learning() -> None:
    loud = 300 * np.random.default_rng(1).standard_normal((200, 10))
    outcome = curve_of(loud, np.zeros((200, 10)), np.zeros((200, 10)))
    assert (outcome.verdict, outcome.fraction) == (Verdict.FAILED, 0.0)
    assert "guessing" in outcome.message


def test_learning_after_a_loud_start_counts() -> None:
    loud = 300 * np.random.default_rng(1).standard_normal((200, 10))
    learned = 2.0 * np.eye(10)[LABELS]
    assert curve_of(loud, learned).verdict is Verdict.PASSED
    assert curve_of(np.zeros((200, 10)), learned).verdict is Verdict.PASSED


def test_one_number_for_all_images_is_an_answer_to_judge() -> None:
    number = np.array(1.0)
    observation = Observation("forward", {"outputs": [number, number], "single": [number]})
    outcome = BatchIndependence().judge(observation, Context(), BatchIndependenceParams())
    assert outcome.verdict is Verdict.FAILED
