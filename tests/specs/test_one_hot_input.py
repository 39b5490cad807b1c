"""The check of ccds-lstm-emotion that one-hot vectors reach the LSTM as they are, and never train."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Outcome, Verdict
from autograder.specs.loader import load_spec

SPEC = load_spec(settings().specs_dir / "ccds-lstm-emotion")
CHECK = next(check for check in SPEC.checks if check.spec.type == "one_hot_input")
TYPES = {"": "Net", "lstm": "LSTM", "fc": "Linear", "mix": "Linear"}
LSTM = ("lstm.weight_ih_l0", (1000, 1000), True)  # 250 units have 1,000 gates


def judged(*parameters: tuple[str, tuple[int, ...], bool], width: int = 1000) -> Outcome:
    """The outcome for a model with these (name, shape, trains), whose LSTM reads vectors of this width."""
    values: dict[str, Any] = {
        "tainted": False,
        "ops": [{"op": "lstm", "module": "lstm", "in": [[90, width]], "out": [[90, 250]]}],
        "parameters": [{"name": n, "shape": list(s), "requires_grad": trains} for n, s, trains in parameters],
        "modules": [{"name": name, "type": kind} for name, kind in TYPES.items()],
    }
    return CHECK.check.judge(Observation("trace", values), Context({}), CHECK.params_for("standin"))


def test_an_lstm_on_one_hot_vectors_passes_whatever_its_width() -> None:
    frozen = ("identity", (1000, 1000), False)
    head = ("fc.weight", (1000, 250), True)
    assert judged(LSTM, frozen, head).verdict is Verdict.PASSED


@pytest.mark.parametrize("table", [("identity", (1000, 1000), True), ("mix.weight", (1000, 1000), True)])
def test_a_matrix_with_a_row_for_each_word_may_not_train(table: tuple[str, tuple[int, ...], bool]) -> None:
    outcome = judged(LSTM, table)
    assert outcome.verdict is Verdict.FAILED
    assert f"({table[0]})" in outcome.message
    assert "learned embedding" in outcome.message


def test_vectors_of_another_width_are_no_one_hot_vectors() -> None:
    assert "those that it reads have 48" in judged(LSTM, width=48).message
