"""The check type source: what it finds, where, and text that was made to break it."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.model import Outcome, Verdict
from tests.checks.examples import judge

TRAIN = """import torch
import torch.nn.functional as F
from torch import nn as layers
from sklearn.metrics import f1_score as f1

class Net(layers.Module):
    def forward(self, x):
        return F.softmax(self.fc(x), dim=1)

def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        layers.CrossEntropyLoss()(model(x), y).backward()
        optimizer.step()

def mean(x):
    return [v for v in x]
"""


def ask(code: str | dict[str, str], **params: Any) -> Outcome:
    files = code if isinstance(code, dict) else {"task.py": code}
    observed = {"files": [{"name": name, "code": content} for name, content in files.items()]}
    return judge("source", "source", observed, **params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"must_call": ["zero_grad", "optimizer.step", "torch.nn.CrossEntropyLoss"]}, ""),
        ({"must_call": ["clip_grad_norm_"]}, "clip_grad_norm_ is not called."),
        ({"must_call": ["zero_grad"], "within": "train"}, ""),
        ({"must_call": ["zero_grad"], "within": "Net"}, "zero_grad is not called in Net."),
        ({"must_call_one_of": ["log_softmax", "CrossEntropyLoss"]}, ""),
        ({"must_call_one_of": ["log_softmax", "nll_loss"]}, "None of log_softmax, nll_loss is called."),
        ({"must_not_call": ["softmax"]}, "torch.nn.functional.softmax is called in task.py, line 8"),
        ({"must_not_call": ["torch.nn.functional.*"]}, "torch.nn.functional.softmax is called in task.py, line 8"),
        ({"must_not_call": ["softmax"], "within": "train"}, ""),
        ({"must_not_call": ["softmax"], "within": "Net.forward"}, "line 8"),
        ({"must_not_use": ["functional"]}, "torch.nn.functional"),
        ({"must_not_use": ["data", "grad"]}, ""),
        ({"must_import": ["torch"]}, ""),
        ({"must_import": ["numpy"]}, "numpy is not imported."),
        ({"must_not_import": ["sklearn"]}, "sklearn.metrics.f1_score is imported in task.py, line 4"),
        ({"must_not_import": ["sk"]}, ""),
        ({"must_define": ["train", "Net"]}, ""),
        ({"must_define": ["fit"]}, "fit is not defined."),
        ({"loops": "forbidden", "within": "mean"}, "There is a comprehension in task.py, line 17"),
        ({"loops": "forbidden", "within": "Net"}, ""),
        ({"loops": "required", "within": "train"}, ""),
        ({"loops": "required", "within": "Net"}, "There is no loop."),
        ({"must_call": ["x"], "within": "missing"}, "There is no definition of missing."),
    ],
)
def test_facts_are_found_with_their_place(params: dict[str, Any], words: str) -> None:
    outcome = ask(TRAIN, **params)
    assert words in outcome.message
    assert (outcome.verdict is Verdict.PASSED) == (not words)


def test_a_cell_that_is_no_python_does_not_hide_the_others() -> None:
    broken = TRAIN + "\ndef half(x:\n    return x\n\ndef late(x):\n    return F.relu(x)\n"
    assert ask(broken, must_call=["zero_grad", "relu"]).verdict is Verdict.PASSED
    forbidden = ask(broken, must_not_call=["eval"])
    assert forbidden.verdict is Verdict.FAILED
    assert "no valid Python in line 19" in forbidden.message


def test_every_file_is_looked_at() -> None:
    files = {"task.py": "import helper\n", "helper.py": "\nimport numpy\n"}
    assert "helper.py, line 2" in ask(files, must_not_import=["numpy"]).message


@pytest.mark.parametrize(
    "code",
    [
        "(" * 150_000,
        "-" * 100_000 + "1",
        "+".join(["1"] * 100_000),
        "a" + ".b" * 100_000,
        "f" + "()" * 50_000,
        "\n".join(" " * i + "if 1:" for i in range(300)),
        "x = 1\0\n" * 10,
        "x = 1\n" * 1_000_000,
        "\ud800 = 1",
        "def " * 10_000,
        "\n".join(f"def f{i}(:" for i in range(500)),
        "f'{" * 300,
        "[" * 90 + "]" * 90,
        "# -*- coding: latin-9999 -*-\nx = 1",
        "'\\d'\n" * 100,
        "try:\n" * 50,
    ],
    ids=range(16),
)
def test_hostile_text_gets_a_verdict_and_forbidden_things_are_not_waved_through(code: str) -> None:
    outcome = ask(code, must_define=["train"], must_not_call=["eval"])
    assert outcome.verdict is Verdict.FAILED
    assert len(outcome.message) < 400
