"""The check type architecture: the pattern language, and the words for the first difference."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from autograder.checks import registry
from autograder.checks._operations import Pattern, PatternError
from autograder.config import settings
from autograder.model import Verdict
from autograder.specs.loader import load_spec
from tests.checks.examples import judge

FIRST = "conv2d relu conv2d relu max_pool conv2d relu conv2d relu max_pool flatten linear relu linear relu linear"
SECOND = FIRST.replace("linear relu", "linear sigmoid")
CCDS_2 = "((conv relu){2} pool){2} flatten (linear sigmoid){2} linear"
CCDS_4 = "((conv relu){2} pool){2} flatten (linear batch_norm sigmoid){2} linear"


def trace(operations: str) -> dict[str, Any]:
    """A trace of these operations; `linear:8` has 8 output features."""
    made = []
    for i, word in enumerate(operations.split()):
        op, _, width = word.partition(":")
        row: dict[str, Any] = {"op": op, "module": f"m{i}", "in": [[4, 2]], "out": [[4, int(width or 5)]]}
        made.append(row | ({"p": 0.5} if op == "dropout" else {"track": True} if op == "batch_norm" else {}))
    return {"ops": made, "modules": [], "parameters": []}


@pytest.mark.parametrize(
    ("pattern", "sequence", "fits"),
    [
        ("conv relu", "conv2d relu", True),
        ("conv relu", "conv2d relu relu", False),
        ("(conv relu){2}", "conv1d relu conv2d relu", True),
        ("(conv relu){2}", "conv2d relu", False),
        ("(conv relu){1,3}", "conv2d relu conv2d relu", True),
        ("(conv relu){1,2} pool", "conv2d relu conv2d relu conv2d relu max_pool", False),
        ("(conv relu){2,}", "conv2d relu " * 5, True),
        ("(conv relu){2,}", "conv2d relu", False),
        ("linear [dropout] linear", "linear linear", True),
        ("linear [dropout] linear", "linear dropout linear", True),
        ("linear [dropout] linear", "linear dropout dropout linear", False),
        ("linear (relu | sigmoid) linear", "linear sigmoid linear", True),
        ("linear (relu | sigmoid) linear", "linear tanh linear", False),
        ("conv (relu pool | pool relu)", "conv2d avg_pool relu", True),
        ("linear (relu linear)*", "linear", True),
        ("linear (relu linear)*", "linear relu linear relu linear", True),
        ("linear (relu linear)+", "linear", False),
        ("conv+ any* linear?", "conv2d conv2d flatten mean", True),
        ("conv{0} linear", "linear", True),
        ("recurrent linear", "lstm linear", True),
        ("embedding ((lstm | gru) dropout?){1,2} linear", "embedding gru gru dropout linear", True),
    ],
)
def test_patterns_match_what_they_say(pattern: str, sequence: str, fits: bool) -> None:
    assert (Pattern(pattern).difference(sequence.split()) is None) == fits


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("conv sigmod", "Did you mean 'sigmoid'"),
        ("(conv relu", "not closed"),
        ("conv relu)", "no opening bracket"),
        ("{2} conv", "a name was expected"),
        ("conv{3,2}", "repeats less often"),
        ("conv; relu", "can't be read"),
        ("  ", "empty"),
        ("(((conv{100}){100}){100}){100}", "too long"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        Pattern(pattern)


def test_a_spec_with_a_wrong_pattern_is_refused() -> None:
    params = registry.all_checks()["architecture"].Params
    with pytest.raises(ValidationError, match="Did you mean 'linear'"):
        params.model_validate({"pattern": "conv lineer"})
    with pytest.raises(ValidationError, match="no operation"):
        params.model_validate({"counts": {"blah": 2}})


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        (SECOND, ""),
        (FIRST, "After the first linear layer (m11): sigmoid expected, ReLU found."),
        (SECOND.replace("sigmoid linear", "linear", 1), "After the first linear layer (m11): sigmoid expected, linear"),
        (SECOND + " softmax", "After the third linear layer (m15): nothing more expected, softmax found."),
        (SECOND.removeprefix("conv2d relu "), "After the first ReLU (m1): convolution expected, max pooling found."),
        (SECOND.removesuffix(" linear"), "After the second sigmoid (m14): linear layer expected, the end found."),
        ("linear", "At the beginning: convolution expected, linear layer found."),
        (SECOND.replace("flatten", "flatten flatten"), ""),
        (SECOND.replace("flatten", "add mean flatten"), ""),
        (SECOND.replace("max_pool", "avg_pool"), ""),
    ],
)
def test_the_first_difference_is_named(operations: str, words: str) -> None:
    outcome = judge("architecture", "trace", trace(operations), pattern=CCDS_2)
    assert outcome.message.startswith(words)
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_what_is_missing_is_hinted_at() -> None:
    outcome = judge("architecture", "trace", trace(FIRST), pattern=CCDS_2)
    assert "Sigmoid is missing" in outcome.hint
    softmax = judge("architecture", "trace", trace(SECOND + " softmax"), pattern=CCDS_2)
    assert "CrossEntropyLoss" in softmax.hint


def test_what_may_be_missing_is_not_hinted_at() -> None:
    pattern = "conv [batch_norm] (relu dropout | dropout relu) [flatten] linear"
    hint = judge("architecture", "trace", trace("conv2d dropout relu sigmoid"), pattern=pattern).hint
    assert "Linear layer is missing" in hint
    assert "by hand" not in hint
    hint = judge("architecture", "trace", trace("conv2d linear"), pattern=pattern).hint
    assert hint.startswith("ReLU is missing there")
    assert "written by hand is not recognised" in hint


def test_batch_norm_after_the_sigmoid_is_seen() -> None:
    wrong = SECOND.replace("linear sigmoid", "linear sigmoid batch_norm")
    right = SECOND.replace("linear sigmoid", "linear batch_norm sigmoid")
    assert judge("architecture", "trace", trace(right), pattern=CCDS_4).verdict is Verdict.PASSED
    assert "batch norm expected, sigmoid found" in judge("architecture", "trace", trace(wrong), pattern=CCDS_4).message


@pytest.mark.parametrize("flattening", ["flatten", "", "mean", "adaptive_avg_pool flatten"])
def test_features_of_one_pixel_may_be_flattened_in_any_way(flattening: str) -> None:
    check = next(c for c in load_spec(settings().specs_dir / "ccds-vgg16").checks if c.spec.id == "order")
    pattern = {"pattern": check.params_for("standin").model_dump()["pattern"]}
    blocks = ["conv2d relu " * (2 if block < 2 else 3) + "max_pool " for block in range(5)]
    operations = "".join(blocks) + flattening + " linear relu dropout linear relu dropout linear"
    assert judge("architecture", "trace", trace(operations), **pattern).verdict is Verdict.PASSED


def test_only_what_is_looked_at_counts() -> None:
    operations = trace(FIRST.replace("relu linear", "relu dropout linear"))
    only = {"pattern": "conv{4} linear{3}", "look_at": ["conv", "linear"]}
    assert judge("architecture", "trace", operations, **only).verdict is Verdict.PASSED
    assert judge("architecture", "trace", operations, pattern="conv{4} linear{3}").verdict is Verdict.FAILED


def test_counts_settings_and_widths() -> None:
    model = trace("conv2d:16 relu linear:8 dropout linear:3")

    def ask(**params: Any) -> str:
        outcome = judge("architecture", "trace", model, **params)
        return "" if outcome.verdict is Verdict.PASSED else outcome.message

    assert ask(counts={"linear": 2, "dropout": [1, 2], "sigmoid": 0}) == ""
    assert "linear layer: 3 times expected, found 2" in ask(counts={"linear": 3})
    assert ask(counts={"linear": [1, None]}) == ""
    assert "linear layer: at least 3 times expected, found 2" in ask(counts={"linear": [3, None]})
    assert ask(counts={"lstm": [1, None]}) == "There is no LSTM in forward."
    assert ask(extras={"dropout": {"p": 0.5}}) == ""
    assert "first dropout must have p = 0.3" in ask(extras={"dropout": {"p": 0.3}})
    plain = trace("linear:8 batch_norm")
    unscaled = judge("architecture", "trace", plain, extras={"batch_norm": {"affine": True}})
    assert "first batch norm must have affine = True" in unscaled.message
    assert "no batch norm" in ask(extras={"batch_norm": {"track": True}})
    assert ask(widths={"linear": [8, 3], "conv": [None]}) == ""
    assert "second linear layer must give 10" in ask(widths={"linear": [None, 10]})
    assert "softmax" in ask(never=["softmax", "relu"]) or "ReLU must not be used (m1)" in ask(never=["softmax", "relu"])


def test_a_share_of_the_demands_gives_a_share_of_the_points() -> None:
    outcome = judge("architecture", "trace", trace("linear relu linear"), counts={"linear": 2, "tanh": 1}, partial=True)
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)


def test_names_outside_the_vocabulary_and_numbers_are_never_repeated() -> None:
    rows = [{"op": "735192", "module": "x"}, {"op": "linear", "module": "y" * 500, "out": [[735192, 735192]]}]
    outcome = judge("architecture", "trace", {"ops": rows}, pattern="linear relu", widths={"linear": [3]})
    assert outcome.verdict is Verdict.FAILED
    assert "735192" not in repr(outcome)
    assert len(outcome.message) < 300
