"""Mutation operators plant what they say, in modules and notebooks, and every mutant is Python."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from autograder.proof.mutation.base import OPERATORS
from autograder.proof.mutation.generate import MODULES, Mutant, mutants
from autograder.proof.mutation.run import Listed
from autograder.proof.mutation.source import parts, rebuilt, with_magics, without_magics
from autograder.specs.solutions import find_solutions
from tests.conftest import ROOT

CODE = """\
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.rnn = nn.LSTM(8, 16, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(16, n)
        nn.init.xavier_uniform_(self.out.weight)

    def forward(self, x, mask):
        x, _ = self.rnn(x)
        x = F.relu(self.norm(x))
        x = x.masked_fill(mask, 0).permute(0, 2, 1).mean(dim=2)
        return self.out(self.drop(x))

def train(model, loader, lr):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    for i in range(10):
        model.train()
        for x, y in loader:
            opt.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            opt.step()
        model.eval()
        if i < 3:
            n = len(loader) // 2
"""
WANTED = {
    "forgotten_call": ("opt.zero_grad()", "pass"),
    "wrong_sign": ("loss.backward()", "(-loss).backward()"),
    "softmax_twice": ("return self.out(self.drop(x))", "return torch.softmax(self.out(self.drop(x)), dim=-1)"),
    "wrong_axis": (
        "x = x.masked_fill(mask, 0).permute(0, 2, 1).mean(dim=2)",
        "x = x.masked_fill(mask, 0).permute(0, 2, 1).mean(dim=0)",
    ),
    "missing_activation": ("x = F.relu(self.norm(x))", "x = self.norm(x)"),
    "missing_layer": ("self.norm = nn.LayerNorm(16)", "self.norm = nn.Identity()"),
    "dropout_in_eval": (
        "return self.out(self.drop(x))",
        "return self.out(torch.nn.functional.dropout(x, 0.5, True))",
    ),
    "missing_mask": (
        "criterion = nn.CrossEntropyLoss(ignore_index=-100)",
        "criterion = nn.CrossEntropyLoss()",
    ),
    "labels_shifted": ("loss = criterion(model(x), y)", "loss = criterion(model(x), torch.roll(y, 1, 0))"),
    "wrong_tensor": ("loss = criterion(model(x), y)", "loss = criterion((model(x)).softmax(-1), y)"),
    "detached": ("x = F.relu(self.norm(x))", "x = F.relu(self.norm(x).detach())"),
    "frozen": ("self.out = nn.Linear(16, n)", "self.out = nn.Linear(16, n).requires_grad_(False)"),
    "learning_rate": (
        "opt = torch.optim.Adam(model.parameters(), lr=lr)",
        "opt = torch.optim.Adam(model.parameters(), lr=(lr) * 100)",
    ),
    "kept_state": (
        "x, _ = self.rnn(x)",
        "x, _ = (lambda r: (self.__dict__.__setitem__('_kept', r[1]), r)[1])(self.rnn(x, self.__dict__.get('_kept')))",
    ),
    "wrong_permute": (
        "x = x.masked_fill(mask, 0).permute(0, 2, 1).mean(dim=2)",
        "x = x.masked_fill(mask, 0).permute(0, 1, 2).mean(dim=2)",
    ),
    "biased_start": ("nn.init.xavier_uniform_(self.out.weight)", "self.out.weight.data.fill_(0.5)"),
    "swapped_name": ("x = F.relu(self.norm(x))", "x = F.sigmoid(self.norm(x))"),
    "constant": ("self.drop = nn.Dropout(0.5)", "self.drop = nn.Dropout(1.0)"),
    "comparison": ("if i < 3:", "if i <= 3:"),
    "arithmetic": ("n = len(loader) // 2", "n = -(-(len(loader)) // (2))"),
    "swapped_arguments": ("loss = criterion(model(x), y)", "loss = criterion(y, model(x))"),
    "condition": ("self.rnn = nn.LSTM(8, 16, batch_first=True)", "self.rnn = nn.LSTM(8, 16, batch_first=False)"),
    "removed_call": ("model.train()", "pass"),
    "range": ("for i in range(10):", "for i in range(1, 10):"),
    "rounding": ("k = int(x)", "k = round(x)"),
}


def solution_of(tmp_path: Path, name: str, text: str) -> list[Mutant]:
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted" / name).write_text(text)
    return mutants(find_solutions(tmp_path)[0])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[Mutant]:
    return solution_of(tmp_path_factory.mktemp("code"), "net.py", f"{CODE}            k = int(x)\n")


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_plants_its_mistake(name: str, planted: list[Mutant]) -> None:
    lines = {m.operator: set() for m in planted} | {}
    for mutant in planted:
        lines[mutant.operator].add(mutant.line)
    # The same text is listed once, under the first operator that made it.
    assert MODULES
    assert WANTED[name] in (lines.get(name, set()) if name != "removed_call" else {m.line for m in planted})


NET = """\
class Net(nn.Module):
    def forward(self, x):
        return self.out(self.drop(x))

def step(net, x, y):
    nn.CrossEntropyLoss()(net(x), y).backward()
"""


@pytest.mark.parametrize(
    ("imports", "softmax", "dropout", "roll"),
    [
        ("import torch.nn as nn", "({}).softmax(-1)", "nn.functional.dropout(x, 0.5, True)", "(y).roll(1, 0)"),
        ("from torch import nn", "({}).softmax(-1)", "nn.functional.dropout(x, 0.5, True)", "(y).roll(1, 0)"),
        (
            "import torch as t\nfrom torch import nn",
            "t.softmax({}, dim=-1)",
            "t.nn.functional.dropout(x, 0.5, True)",
            "t.roll(y, 1, 0)",
        ),
        (
            "import torch.optim\nimport torch.nn as nn",
            "torch.softmax({}, dim=-1)",
            "torch.nn.functional.dropout(x, 0.5, True)",
            "torch.roll(y, 1, 0)",
        ),
    ],
)
def test_a_mutant_names_nothing_that_the_file_has_not_imported(
    tmp_path: Path, imports: str, softmax: str, dropout: str, roll: str
) -> None:
    found = {m.operator: m.line[1] for m in solution_of(tmp_path, "net.py", f"{imports}\n{NET}")}
    assert found["softmax_twice"] == f"return {softmax.format('self.out(self.drop(x))')}"
    assert found["dropout_in_eval"] == f"return self.out({dropout})"
    assert found["labels_shifted"] == f"nn.CrossEntropyLoss()(net(x), {roll}).backward()"


def test_names_of_one_module_are_not_those_of_another(tmp_path: Path) -> None:
    (tmp_path / "accepted").mkdir()
    with zipfile.ZipFile(tmp_path / "accepted" / "two.zip", "w") as archive:
        archive.writestr("net.py", f"from torch import nn\n{NET}")
        archive.writestr("main.py", "import torch\n")
    twice = [m.line[1] for m in mutants(find_solutions(tmp_path)[0]) if m.operator == "softmax_twice"]
    assert twice == ["return (self.out(self.drop(x))).softmax(-1)"]


@pytest.mark.parametrize(
    "loss",
    [
        "nn.CrossEntropyLoss()(out, y)",
        "crit(out, y)",
        "self.ce(out, y)",
        "nll(out, y)",
        "F.cross_entropy(out, y)",
    ],
)
def test_a_loss_is_known_however_it_is_called(tmp_path: Path, loss: str) -> None:
    text = (
        "import torch\ncrit = nn.CrossEntropyLoss(weight=w)\nnll = F.nll_loss\n"
        "def fit(self, net, x, y):\n    self.ce = nn.CrossEntropyLoss()\n    out = net(x)\n"
        f"    {loss}.backward()\n    print({loss}.item())\n    seen = {loss}.item()\n"
    )
    found = {(m.operator, m.line[1]) for m in solution_of(tmp_path, "fit.py", text)}
    for operator, new in (
        ("labels_shifted", loss.replace("y)", "torch.roll(y, 1, 0))")),
        ("wrong_tensor", loss.replace("(out,", "((out).softmax(-1),")),
        ("wrong_tensor", loss.replace(", y)", ", (out).argmax(-1))")),
    ):
        assert (operator, f"{new}.backward()") in found
    assert not any(name == "wrong_tensor" and line.startswith("seen") for name, line in found)


def test_a_function_of_the_file_that_is_called_a_loss_is_none(tmp_path: Path) -> None:
    text = "import torch\ndef mean_loss(net, x):\n    pass\ndef fit(net, x):\n    mean_loss(net, x).backward()\n"
    assert not any(m.operator == "wrong_tensor" for m in solution_of(tmp_path, "fit.py", text))


@pytest.mark.parametrize("rate", ["0.1", "lr", "2 * lr"])
def test_a_learning_rate_is_known_by_its_place(tmp_path: Path, rate: str) -> None:
    text = f"import torch\ndef fit(net, lr):\n    opt = torch.optim.SGD(net.parameters(), {rate}, 0.9)\n"
    found = {m.line[1] for m in solution_of(tmp_path, "fit.py", text) if m.operator == "learning_rate"}
    assert found == {f"opt = torch.optim.SGD(net.parameters(), ({rate}) {by} 100, 0.9)" for by in "*/"}


def test_no_mutant_is_the_original_or_comes_twice(planted: list[Mutant]) -> None:
    texts = [m.data for m in planted]
    assert len(set(texts)) == len(texts)
    assert all(m.line[0] != m.line[1] for m in planted)
    assert len(planted) > 60


def test_docstrings_prints_and_the_main_block_stay(tmp_path: Path) -> None:
    text = 'def f(n):\n    """One of 3."""\n    print(4)\n    return n\n\nif __name__ == "__main__":\n    f(5)\n'
    assert solution_of(tmp_path, "f.py", text) == []


def test_notebooks_keep_their_magics_and_other_cells(tmp_path: Path) -> None:
    cells = ["!pip install x\nA = 1\nif A:\n    %matplotlib inline\n", "%%bash\necho 1\n", "# text 2"]
    kinds = ["code", "code", "markdown"]
    notebook = {"cells": [{"cell_type": k, "source": c} for k, c in zip(kinds, cells, strict=True)], "nbformat": 4}
    found = solution_of(tmp_path, "n.ipynb", json.dumps(notebook))
    assert found
    for mutant in found:
        tree = json.loads(mutant.data)
        assert [c["source"] for c in tree["cells"]][1:] == cells[1:]
        assert "!pip install x" in tree["cells"][0]["source"]
        assert "    %matplotlib inline" in tree["cells"][0]["source"]


def test_magics_come_back_as_they_were() -> None:
    text = "%time x = 1\n  !ls\ny = 5 % 3\n"
    plain, taken = without_magics(text)
    assert "%time" not in plain
    assert with_magics(plain, taken) == text


def test_listed_changes_match_exactly_or_by_pattern(planted: list[Mutant]) -> None:
    def listed(**fields: str) -> set[str]:
        return {m.line[1] for m in planted if Listed(because="any width will do", **fields).matches(m)}

    assert listed(was="self.out = nn.Linear(16, n)", now="self.out = nn.Linear(17, n)") == {
        "self.out = nn.Linear(17, n)"
    }
    widths = listed(was="*nn.L*(*", operator="constant")
    assert {"self.norm = nn.LayerNorm(17)", "self.rnn = nn.LSTM(8, 15, batch_first=True)"} <= widths
    assert not listed(solution="accepted/other")


def test_a_part_is_put_back_where_it_was() -> None:
    path = ROOT / "reference_solutions/ccds-cnn-1/accepted/colab_notebook.ipynb"
    data = path.read_bytes()
    every = parts(path.name, data)
    again = rebuilt(path.name, data, [(part, part.text) for part in every])
    assert [p.text for p in parts(path.name, again)] == [p.text for p in every]
