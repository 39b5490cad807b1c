"""Which model is taken for an entry that a submission has no name of, where a task asks for two."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.client import Harness

WORDS = {"kind": "model", "names": ["build_text_model", "WordLSTM", "TextClassifier"], "factories": ["build_model"]}
ONE_HOT = {"kind": "model", "names": ["build_onehot_model", "OneHotLSTM", "OneHotClassifier"]}
START = "from torch import nn\n"


def model(name: str, base: str = "nn.Module", body: str = "pass") -> str:
    return f"class {name}({base}):\n    def forward(self, x):\n        return x\n    def more(self):\n        {body}\n"


WORD_LSTM = model("WordLSTM")
SIZED = "class Sized(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
BUILT = SIZED + "def build_text_model(size=3):\n    return Sized(size)\n"


def resolved(harness: Harness, source: str, **more: dict[str, Any]) -> dict[str, Any]:
    harness.load(START + source)
    return harness.result("resolve", entries={"words": WORDS, "one_hot": ONE_HOT, **more})


@pytest.mark.parametrize(
    "source",
    [
        WORD_LSTM,  # the class itself
        BUILT,  # the class that the found function builds
        BUILT.replace("return Sized(size)", "return make(size)") + "def make(size):\n    return Sized(size)\n",
        BUILT + "twin = Sized(4)\n",  # the same, built a second time
        model("WordLSTM", body="return Encoder()") + model("Encoder"),  # a part of it
        model("Base") + model("WordLSTM", "Base"),  # what it is based on
        WORD_LSTM + model("WordLSTM_old"),  # a draft of it
    ],
    ids=["class", "function", "function_of_a_function", "second_call", "part", "base", "draft"],
)
def test_a_missing_model_is_not_replaced_by_the_other_entrys(harness: Harness, source: str) -> None:
    found = resolved(harness, source)
    assert found["words"]["found"] in ("WordLSTM", "build_text_model")
    assert found["one_hot"]["found"] is None
    assert found["one_hot"]["message"].startswith("No function named build_onehot_model")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (WORD_LSTM + model("OneHot"), "OneHot"),
        (BUILT + model("SecondNet"), "SecondNet"),
        (WORD_LSTM + model("MyOneHotNet", "WordLSTM"), "MyOneHotNet"),  # based on the other, but not a part of it
    ],
)
def test_the_only_model_left_is_taken_for_the_only_missing_entry(harness: Harness, source: str, name: str) -> None:
    found = resolved(harness, source)
    assert found["one_hot"]["found"] == name
    assert found["one_hot"]["how"] == "only_model"


def test_of_two_missing_entries_none_is_guessed(harness: Harness) -> None:
    found = resolved(harness, model("Something"))
    assert found["words"]["found"] is None
    assert found["one_hot"]["found"] is None
    assert "Something (submission.py, line 2)" in found["one_hot"]["message"]


def test_entries_of_the_same_names_are_one_model(harness: Harness) -> None:
    harness.load(START + model("Something"))
    found = harness.result("resolve", entries={"small": ONE_HOT, "large": ONE_HOT})
    assert {answer["found"] for answer in found.values()} == {"Something"}


def test_a_sequential_is_not_taken_beside_a_model_that_was_found(harness: Harness) -> None:
    source = (
        "def build_text_model():\n    return nn.Sequential(nn.Linear(2, 2))\nnet = nn.Sequential(nn.Linear(2, 2))\n"
    )
    assert resolved(harness, source)["one_hot"]["found"] is None
