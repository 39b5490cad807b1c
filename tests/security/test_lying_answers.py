"""Answers of a function whose length, items and type disagree and change from look to look, graded for real.

Each earns no more than an honest wrong answer, is nobody's fault but the student's, and stops no other check.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder import pipeline
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec
from tests.security.test_submissions import HARMLESS, described

SPEC = """
id: lies
title: Answers that change
points: 10
limits: {load_s: 30, wall_s: 3, cpu_s: 60, memory_mb: 1024}
entry_points:
  model: {kind: model, names: [Net]}
  answer: {kind: function, names: [answer], parameters: {x: []}}
  predict: {kind: function, names: [predict]}
  honest: {kind: function, names: [honest], parameters: {x: []}}
data: {builder: data.py, sets: [standin]}
observations:
  answers: {probe: calls, entry: answer, cases: answers}
  predicted: {probe: predict, function: predict, inputs: inputs}
  honest: {probe: calls, entry: honest, cases: answers}
checks:
  - {id: values, type: allclose, observe: answers, points: 4, params: {partial: true}}
  - {id: refused, type: raises, observe: answers, points: 1, params: {partial: true}}
  - {id: accuracy, type: accuracy, observe: predicted, points: 4, params: {targets: right, min: 0.9}}
  - {id: honest, type: allclose, observe: honest, points: 1}
"""
DATA = """
import numpy as np
from autograder.specs.dataset import Case, DataSet

def build(name, data_dir, seed):
    rows = [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]]
    cases = [Case((row,), expected=[2 * x for x in row]) for row in rows]
    cases += [Case((row,), expected={"twice": [2 * x for x in row]}) for row in ([7.0], [8.0, 9.0])]
    cases += [Case(("text",), raises=("TypeError",))]
    arrays = {"inputs": np.eye(12, dtype=np.float32), "right": np.arange(12) % 3}
    return DataSet(name, arrays, judge_only=frozenset({"right"}), cases={"answers": tuple(cases)})
"""
HONEST = """
import itertools
import numpy as np
import torch

looks = itertools.count()

class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(12, 3)

def honest(x):
    if isinstance(x, str):
        raise TypeError("no text")
    twice = [2 * n for n in x]
    return {"twice": twice} if x[0] >= 7 else twice
"""
RIGHT = HONEST + "\nanswer = honest\n\ndef predict(model, x):\n    return x.argmax(1) % 3\n"
WRONG = (
    HONEST + "\ndef answer(x):\n    return [0.0]\n\ndef predict(model, x):\n    return torch.zeros(len(x)).long() + 3\n"
)
# Each makes `Lie`, of which a function returns one.
LIES = {
    "a list with another length each time": """
class Lie(list):
    def __iter__(self): return iter([0.0] * (next(looks) % 7))
    def __len__(self): return next(looks) % 7
    def __getitem__(self, place): return next(looks)
    def __eq__(self, other): return True
""",
    "a list of a length below nothing": """
class Lie(list):
    def __len__(self): return -1
""",
    "a list of a huge length": """
class Lie(list):
    def __len__(self): return 2**62
    def __iter__(self): return iter([0.0])
""",
    "a list that never ends": """
class Lie(list):
    def __iter__(self): return itertools.repeat(0.0)
    def __len__(self): return 5
""",
    "a long list that never ends": """
class Lie(list):
    def __iter__(self): return itertools.repeat(0.0)
    def __len__(self): return 5000
""",
    "a list that holds itself": """
class Lie(list):
    def __iter__(self): return iter([self])
""",
    "numbers at the first look, objects at the second": """
class Lie(list):
    def __iter__(self): return iter([0.0] * 2000 if next(looks) % 2 else [object()] * 2000)
    def __len__(self): return 2000
""",
    "a tuple whose parts disagree": """
class Lie(tuple):
    def __new__(cls, *_): return tuple.__new__(cls, (0.0, 1.0))
    def __iter__(self): return iter((torch.ones(3), "text", None)[next(looks) % 3 :])
    def __getitem__(self, place): raise KeyError(place)
""",
    "a dict whose items change": """
class Lie(dict):
    def items(self): return [(("twice", "logits", 5)[next(looks) % 3], [next(looks)])] * 3
    def __len__(self): return 0
    def __getitem__(self, key): return self
    def get(self, key, default=None): return default
""",
    "a dict whose items are no pairs": """
class Lie(dict):
    def items(self): return [1, (2, 3, 4), "ab"]
    def values(self): return None
""",
    "keys that are equal to all others": """
class Key(str):
    def __eq__(self, other): return True
    def __hash__(self): return next(looks)
    def __str__(self): return "twice" if next(looks) % 2 else "once"
class Lie(dict):
    def items(self): return [(Key("twice"), [0.0]), (Key("twice"), [1.0])]
""",
    "a place among the arrays that is none": """
class Lie(dict):
    def items(self): return [("$array", 10**9)]
""",
    "what names its class at will": """
class Lie:
    def __init__(self, *_): pass
    @property
    def __class__(self): return (list, dict, torch.Tensor, np.ndarray, float, str, bool, set)[next(looks) % 8]
    def __iter__(self): return iter([0.0])
    def __len__(self): return 1
    def __float__(self): return 0.0
""",
    "a tensor by name alone": """
class Lie:
    def __init__(self, *_): pass
    __class__ = torch.Tensor
    def __getattr__(self, name): return lambda *a, **k: self
""",
    "a text by name alone": """
class Lie:
    def __init__(self, *_): pass
    __class__ = str
    def __len__(self): return 0
""",
    "a number that is another each time": """
class Lie(float):
    def __new__(cls, *_): return float.__new__(cls, 0.0)
    def __float__(self): return float(next(looks))
    def __repr__(self): return "1e999, 'score': 10"
    def __eq__(self, other): return True
    __hash__ = float.__hash__
    __ge__ = __gt__ = __le__ = __lt__ = __eq__
""",
    "a whole number that says it is text": """
class Lie(int):
    def __new__(cls, *_): return int.__new__(cls, 0)
    def __int__(self): return Lie()
    def __repr__(self): return '"full marks"'
    __str__ = __index__ = __repr__
""",
    "an array that makes arrays at will": """
class Lie(np.ndarray):
    def __new__(cls, *_): return np.zeros(next(looks) % 5).view(cls)
    def __array_finalize__(self, other): pass
    @property
    def shape(self): return (12,)
    def __array__(self, *a, **k): return np.zeros(next(looks) % 5)
""",
    "a tensor that answers for torch": """
class Lie(torch.Tensor):
    @staticmethod
    def __new__(cls, *_): return torch.zeros(3).as_subclass(cls)
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return (True, torch.ones(2), None, cls)[next(looks) % 4]
""",
    "a set in an order of its own": """
class Lie(set):
    def __init__(self, *_): pass
    def __iter__(self): return iter([self, next(looks), [0.0]])
    def __repr__(self): return str(next(looks))
""",
    "an error of a made-up kind": """
class Meta(type):
    __module__ = property(lambda cls: "builtins")
    __name__ = property(lambda cls: ("TypeError", 5)[next(looks) % 2])
class Lie(Exception, metaclass=Meta):
    def __init__(self, *_): raise self
    def __str__(self): return 5
""",
}
RETURNED = "\ndef answer(x):\n    return Lie([('twice', [0.0])])\n\ndef predict(model, x):\n    return answer(x)\n"
Grade = Callable[[str], GradeReport]


@pytest.fixture(scope="module")
def grade_answers(tmp_path_factory: pytest.TempPathFactory, grading_sandbox: Sandbox) -> Grade:
    """Grades a module by the spec above."""
    folder = tmp_path_factory.mktemp("specs") / "lies"
    folder.mkdir()
    (folder / "spec.yaml").write_text(SPEC, "utf-8")
    (folder / "data.py").write_text(DATA, "utf-8")
    loaded = load_spec(folder)
    return lambda text: pipeline.grade(loaded, unpack("answers.py", text.encode()), grading_sandbox)


def test_right_answers_earn_everything_and_wrong_ones_nothing(grade_answers: Grade) -> None:
    right, wrong = grade_answers(RIGHT), grade_answers(WRONG)
    assert right.score == 10, described(right)
    assert wrong.score == 1, described(wrong)  # what its honest function is worth


@pytest.mark.parametrize("name", LIES)
def test_a_lie_earns_no_more_than_a_wrong_answer(grade_answers: Grade, name: str) -> None:
    report = grade_answers(HONEST + LIES[name] + RETURNED)
    verdicts = {check.id: check.verdict for check in report.checks}
    assert report.score == 1, described(report)
    assert verdicts.pop("honest") is Verdict.PASSED
    ended = {Verdict.CRASHED, Verdict.TIMED_OUT, Verdict.OUT_OF_MEMORY}
    assert set(verdicts.values()) <= HARMLESS | ended, described(report)
