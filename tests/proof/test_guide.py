"""The spec that docs/writing-a-spec.md walks through is proven as it stands, by a right and by wrong solutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.proof.pool import Pool
from autograder.proof.verify import verify
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import find_solutions
from tests.unit.test_docs import blocks

GUIDE = "docs/writing-a-spec.md"
RIGHT = """\
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(x)
"""
WRONG = {
    "softmax_inside": ("return self.out(x)", "return self.out(x).softmax(1)"),
    "a_function": (
        "class Classifier(nn.Module):\n",
        "def classifier():\n    return nn.Linear(4, 3)\n\n\nclass Held:\n",
    ),
    "mixes_the_batch": ("self.out(x)", "self.out(x - x.mean(0))"),
    "wrong_columns": ("self.out(x)", "self.out(x.flip(1))[:, [0, 0, 0]]"),
}
EXPECTED = {"a_function": "entry_points", "mixes_the_batch": "batch_independence", "wrong_columns": "accuracy"}


@pytest.fixture
def guided(tmp_path: Path) -> LoadedSpec:
    folder = tmp_path / "tiny-classifier"
    folder.mkdir()
    (folder / "spec.yaml").write_text(blocks(GUIDE, "yaml")[0])
    (folder / "data.py").write_text(blocks(GUIDE, "python")[0])
    return load_spec(folder)


def test_its_data_is_as_the_guide_says(guided: LoadedSpec) -> None:
    data = guided.build_data(None, 0)
    assert set(np.unique(data.arrays["test_labels"])) == {0, 1, 2}
    assert data.judge_only == {"test_labels"}


def test_it_is_verified_with_the_mistakes_it_must_catch(guided: LoadedSpec, tmp_path: Path, sandbox: Sandbox) -> None:
    home = tmp_path / "solutions"
    (home / "accepted").mkdir(parents=True)
    (home / "accepted/reference.py").write_text(RIGHT)
    says_softmax = next(text for text in blocks(GUIDE, "yaml") if "says: [softmax]" in text)
    for name, (was, now) in WRONG.items():
        folder = home / "wrong_answer" / name
        folder.mkdir(parents=True)
        (folder / "submission.py").write_text(RIGHT.replace(was, now))
        (folder / "expect.yaml").write_text(f"fails: [{EXPECTED[name]}]\n" if name in EXPECTED else says_softmax)
    graded, found = verify(guided, find_solutions(home), Pool([sandbox]), data_dir=None)
    assert {g.solution.name: g.problems for g in graded if g.problems} == {}
    assert [f.message for f in found if f.error] == []
    assert len(graded) == 1 + len(WRONG)


def test_a_solution_in_a_wrong_folder_is_told_where_it_belongs(
    guided: LoadedSpec, tmp_path: Path, sandbox: Sandbox
) -> None:
    home = tmp_path / "solutions"
    for place in ("accepted/reference.py", "wrong_answer/no_bug/submission.py"):
        (home / place).parent.mkdir(parents=True)
        (home / place).write_text(RIGHT)
    graded, _ = verify(guided, find_solutions(home), Pool([sandbox]), data_dir=None)
    (problem,) = next(g.problems for g in graded if g.solution.name == "wrong_answer/no_bug")
    assert problem.startswith("verdict is passed, expected failed (because of entry_points, ")
    assert "move it to accepted/ or write `verdict: passed`" in problem
