"""The check type layer_behaviour: dropout, batch norm, initialisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograder.checks import _init
from autograder.model import Outcome, Verdict
from tests.checks.examples import Array, judge

DRAW = np.random.default_rng(5)
CONV, LINEAR = (16, 8, 3, 3), (64, 128)


def weight(values: Array, layer: str = "") -> dict[str, Any]:
    """A row of `weights` for these values."""
    into, out = _init.fans(values.shape)
    return {
        "name": "w", "layer": layer, "shape": list(values.shape), "mean": float(values.mean()),
        "std": float(values.std()), "max": float(np.abs(values).max()), "fan_in": into, "fan_out": out,
    }  # fmt: skip


def drawn(shape: tuple[int, ...], scheme: str, seed: int = 0) -> Array:
    """A weight as torch would draw it."""
    draw, std = np.random.default_rng(seed), _init.expected_std(scheme, shape)
    if scheme in ("xavier_normal", "kaiming"):
        return draw.normal(0, std, shape)
    return draw.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, shape)


def behaviour(passes: int = 8) -> dict[str, Any]:
    """A model with dropout, batch norm and tanh that was initialised as Xavier says; six inputs."""
    answers = np.tanh(np.random.default_rng(0).normal(size=(6, 3)))
    noise = np.random.default_rng(1)
    return {
        "eval": [answers, answers.copy()],
        "train": [answers + noise.normal(size=(6, 3)) for _ in range(passes)],
        "buffers": [
            {"name": "bn.running_mean", "before": np.zeros(4), "after": np.full(4, 0.1)},
            {"name": "bn.running_var", "before": np.ones(4), "after": np.full(4, 0.9)},
            {"name": "bn.num_batches_tracked", "before": 0, "after": 8},
        ],
        "dropout": [{"module": "drop", "p": 0.5, "zeros": 0.503, "scale": 2.0, "eval_zeros": 0.0, "count": 20_000}],
        "weights": [weight(drawn(CONV, "xavier_uniform"), "Conv2d"), weight(drawn(LINEAR, "xavier_normal"), "Linear")],
    }


def ask(changes: dict[str, Any] | None = None, /, **params: Any) -> Outcome:
    return judge("layer_behaviour", "behave", behaviour() | (changes or {}), **params)


def dropout(**changes: Any) -> dict[str, Any]:
    return {"dropout": [behaviour()["dropout"][0] | changes]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dropout(), ""),
        (dropout(zeros=0.515), ""),
        (dropout(zeros=0.52), "does not drop a share of 0.5"),
        (dropout(zeros=0.52, count=400), ""),
        (dropout(zeros=0.2), "does not drop a share of 0.5"),
        (dropout(zeros=0.0), "drops nothing in train mode"),
        (dropout(eval_zeros=0.5), "active in eval mode"),
        (dropout(scale=1.0), "does not scale"),
        (dropout(zeros=math.nan), "drops nothing"),
        (dropout(scale=math.nan), "does not scale"),
        (dropout(eval_zeros=math.nan), "active in eval mode"),
        ({"dropout": []}, "1 dropouts are asked for, none seen"),
        ({"train": [behaviour()["eval"][0]] * 3}, "Dropout changes no answer"),
    ],
)
def test_dropout_has_its_rate_and_only_in_training(changes: dict[str, Any], words: str) -> None:
    outcome = ask(changes, dropout=0.5)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_the_share_that_is_kept_is_told_from_the_share_that_is_dropped() -> None:
    assert "not the share that is kept" in ask(dropout(zeros=0.8, scale=5.0), dropout=0.2).hint


def test_answers_in_eval_mode_must_repeat_whatever_is_asked() -> None:
    answers = behaviour()["eval"][0]
    outcome = ask({"eval": [answers, answers + 0.01]})
    assert "different answers the second time" in outcome.message
    assert ask().verdict is Verdict.PASSED


BUFFERS = behaviour()["buffers"]
STILL = [{**row, "after": row["before"]} for row in BUFFERS]


@pytest.mark.parametrize(
    ("changes", "batch_norms", "words"),
    [
        ({}, 1, ""),
        ({}, 2, "2 batch norms with running statistics are asked for, 1 seen"),
        ({}, 0, "no batch norm is asked for"),
        ({"buffers": []}, 0, ""),
        ({"buffers": []}, 1, "none seen"),
        ({"buffers": STILL}, 1, "do not move"),
        ({"buffers": [{**BUFFERS[0], "after": np.full(4, np.nan)}, BUFFERS[1]]}, 1, "do not move"),
        ({"train": behaviour()["eval"]}, 1, "exactly as eval mode"),
    ],
)
def test_batch_norm_moves_its_statistics_and_uses_them(changes: dict[str, Any], batch_norms: int, words: str) -> None:
    outcome = ask(changes, batch_norms=batch_norms)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_train_and_eval_mode() -> None:
    same = {"train": behaviour()["eval"]}
    assert ask(random_in_training=True, train_differs=True).verdict is Verdict.PASSED
    assert ask(same, random_in_training=False, train_differs=False).verdict is Verdict.PASSED
    assert "nothing random" in ask(same, random_in_training=True).message
    assert "exactly as eval" in ask(same, train_differs=True).message
    assert "vary" in ask(random_in_training=False).message
    assert "otherwise" in ask(train_differs=False).message


@pytest.mark.parametrize("shape", [(6, 3, 5, 5), CONV, LINEAR, (256, 4096), (10, 64)])
@pytest.mark.parametrize("scheme", ["xavier_uniform", "xavier_normal", "kaiming", "default"])
def test_right_initialisations_fit_under_fifty_seeds(shape: tuple[int, ...], scheme: str) -> None:
    for seed in range(50):
        values = drawn(shape, scheme, seed)
        given = (float(values.mean()), float(values.std()), float(np.abs(values).max()))
        assert _init.fits(scheme, shape, *given)
        assert scheme not in ("xavier_uniform", "xavier_normal") or _init.fits("xavier", shape, *given)


@pytest.mark.parametrize(
    ("values", "words", "hint"),
    [
        (drawn(LINEAR, "default"), "look like PyTorch's default", "children()"),
        (drawn(LINEAR, "kaiming"), "look like Kaiming (He)", "another name"),
        (drawn(LINEAR, "xavier") * 3, "spread too widely", "gain of 1"),
        (drawn(LINEAR, "xavier") / 3, "spread too little", "gain of 1"),
        (np.zeros(LINEAR), "all its weights are equal", "zeros are for the bias"),
        (np.full(LINEAR, np.nan), "no finite numbers", "xavier_uniform_"),
        (drawn(LINEAR, "xavier") + 1, "first linear layer is not", "xavier_uniform_"),
        (drawn(LINEAR, "xavier") + 1, "mean of its weights is not 0", "xavier_uniform_"),
    ],
)
def test_wrong_initialisations_are_named(values: Array, words: str, hint: str) -> None:
    outcome = ask({"weights": [weight(values, "Linear")]}, init={"linear": "xavier"})
    assert outcome.verdict is Verdict.FAILED
    assert words in outcome.message
    assert hint in outcome.hint
    assert ("children()" in outcome.hint) == ("default" in words)


@pytest.mark.parametrize(
    ("scheme", "asked", "hint"),
    [
        ("xavier_normal", "xavier_uniform", "Call nn.init.xavier_uniform_ on"),
        ("xavier_uniform", "xavier_normal", "Call nn.init.xavier_normal_ on"),
        ("xavier_uniform", "default", "as PyTorch makes them"),
        ("xavier_uniform", "kaiming", "Call nn.init.kaiming_normal_"),
    ],
)
def test_the_initialisation_that_was_taken_is_named(scheme: str, asked: str, hint: str) -> None:
    outcome = ask({"weights": [weight(drawn(LINEAR, scheme), "Linear")]}, init={"linear": asked})
    assert f"look like {_init.IN_WORDS[scheme]}" in outcome.message
    assert hint in outcome.hint


def test_uniform_is_told_from_normal_and_embeddings_are_left_alone() -> None:
    normal = {"weights": [weight(drawn(LINEAR, "xavier_normal"), "Linear"), weight(np.ones((9, 9)), "Embedding")]}
    assert ask(normal, init={"linear": "xavier_normal"}).verdict is Verdict.PASSED
    assert ask(normal, init={"linear": "xavier"}).verdict is Verdict.PASSED
    assert ask(normal, init={"linear": "xavier_uniform"}).verdict is Verdict.FAILED
    assert "no conv layer" in ask({"weights": []}, init={"conv": "default"}).message
    assert ask({"weights": []}, init={"conv": "none"}).verdict is Verdict.PASSED
