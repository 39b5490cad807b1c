"""Mistakes of form that students make in any task: each has a message of its own that says what to do.

A mistake is planted into an accepted solution, graded for real, and the first trouble on the report is read as the
student would read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import CheckResult, GradeReport, Verdict
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec

# A spec is added here with an accepted solution in one file, what its forward returns and how its training begins.
SHAPES = {
    "ccds-cnn-1": {
        "file": "reference.py",
        "class": "class CNN(nn.Module):",
        "forward": "def forward(self, x):",
        "returns": "return self.fc3(x)",
        "train": "def train(model, train_set, val_set=None, epochs=6, batch_size=32, lr=1e-3):",
        "last_layer": "        self.fc3 = nn.Linear(128, 10)",
        "step": "            optimizer.step()",
    }
}


@dataclass(frozen=True)
class Mistake:
    """What is replaced by what (keys of SHAPES in braces), which verdict comes of it, what must be said and advised."""

    old: str
    new: str
    verdict: Verdict
    says: str
    advises: str
    before: str = ""  # put in front of the file


MISTAKES = {
    "missing_model": Mistake("{class}", "class helper:", Verdict.PARTIAL, r"No class named CNN", r"Define CNN"),
    "missing_function": Mistake(
        "def train(", "def prepare(", Verdict.PARTIAL, r"No function named train.*prepare.*Rename", r"Define train"
    ),
    "wrong_signature": Mistake(
        "{forward}", "def forward(self, images, mask):", Verdict.CRASHED, r"missing 1 required .*mask", r"default value"
    ),
    "strange_train_parameters": Mistake(
        "{train}",
        "def train(model, teacher, train_set, val_set=None, epochs=6, batch_size=32, lr=1e-3):",
        Verdict.CRASHED,
        r"`teacher`",
        r"default value.*starter",
    ),
    "model_on_the_wrong_device": Mistake(
        "{last_layer}",
        "{last_layer}\n        self.to('cuda')",
        Verdict.CRASHED,
        r"CUDA|NVIDIA",
        r"no GPU.*torch\.cuda\.is_available",
    ),
    "outputs_on_the_wrong_device": Mistake(
        "{returns}", "{returns}.cuda()", Verdict.CRASHED, r"CUDA|NVIDIA", r"no GPU.*torch\.cuda\.is_available"
    ),
    "a_layer_on_another_device": Mistake(
        "{last_layer}",
        "{last_layer}\n        self.conv1.to('meta')",
        Verdict.CRASHED,
        r"meta",
        r"different devices.*no \.to\(\)",
    ),
    "half_precision": Mistake(
        "{last_layer}", "{last_layer}\n        self.half()", Verdict.CRASHED, r"Half", r"float32.*\.half\(\)"
    ),
    "double_precision": Mistake(
        "{last_layer}", "{last_layer}\n        self.double()", Verdict.CRASHED, r"[Dd]ouble", r"float32.*\.double\(\)"
    ),
    "returns_tuple": Mistake(
        "{returns}", "{returns}, x", Verdict.CRASHED, r"not tuple", r"return one tensor: no tuple"
    ),
    "returns_dict": Mistake(
        "{returns}", "return {{'logits': self.fc3(x)}}", Verdict.CRASHED, r"not dict", r"return one tensor: no tuple"
    ),
    "returns_numpy": Mistake(
        "{returns}", "{returns}.detach().numpy()", Verdict.CRASHED, r"returned ndarray", r"one tensor.*\.numpy\(\)"
    ),
    "returns_list": Mistake(
        "{returns}", "{returns}.tolist()", Verdict.CRASHED, r"returned list", r"one tensor.*\.tolist\(\)"
    ),
    "returns_nothing": Mistake(
        "{returns}", "self.fc3(x)", Verdict.FAILED, r"returned NoneType.*`return` missing", r"Return a tensor"
    ),
    "returns_text": Mistake("{returns}", "return 'cat'", Verdict.FAILED, r"returned str", r"Return a tensor"),
    "nan_outputs": Mistake(
        "{returns}", "{returns} * float('nan')", Verdict.FAILED, r"NaN or infinite", r"logarithm or division"
    ),
    "ten_times_the_budget": Mistake(
        "{step}", "{step}\n            __import__('time').sleep(3600)", Verdict.TIMED_OUT, r"longer than 20 s", r"loop"
    ),
    "prints_megabytes": Mistake(
        "{step}",
        "{step}\n            print('x' * 100_000_000, flush=True)",
        Verdict.OUTPUT_LIMIT,
        r"printed more than \d+ MB",
        r"inner loop",
    ),
    "missing_package": Mistake(
        "{step}",
        "{step}\n            pl.seed_everything(1)",
        Verdict.CRASHED,
        r"`pytorch_lightning` is not installed.*available: .*torch",
        r"Do without it",
        before="import pytorch_lightning as pl\n",
    ),
    "downloads_pictures": Mistake(
        "{step}",
        "{step}\n            torchvision.datasets.CIFAR10('.', download=True)",
        Verdict.CRASHED,
        r"torchvision\.datasets\.CIFAR10 can't be had",
        r"no network.*supplied by the grader",
        before="import torchvision\n",
    ),
    "downloads_a_model": Mistake(
        "{returns}",
        "from transformers import AutoModel; return AutoModel.from_pretrained('bert-base-uncased')(x)",
        Verdict.CRASHED,
        r"from_pretrained\('bert-base-uncased'\) can't be had",
        r"no network.*supplied by the grader",
    ),
    "opens_a_connection": Mistake(
        "{step}",
        "{step}\n            __import__('urllib.request').request.urlopen('https://example.org')",
        Verdict.CRASHED,
        r"network can't be reached",
        r"no network",
    ),
    "too_much_memory": Mistake(
        "{returns}",
        "self.kept = torch.ones(3_000_000_000); {returns}",
        Verdict.OUT_OF_MEMORY,
        r"asked for 12\.0 GB of memory",
        r"smaller layers or batches",
    ),
    "asks_for_input": Mistake("{returns}", "input('go on?'); {returns}", Verdict.CRASHED, r"input\(\)", r"Nobody"),
    "reads_a_file_of_its_own": Mistake(
        "{step}",
        "{step}\n            open('/content/drive/MyDrive/weights.pt')",
        Verdict.CRASHED,
        r"No such file.*weights\.pt",
        r"\.zip",
    ),
    "exits": Mistake("{step}", "{step}\n            exit()", Verdict.CRASHED, r"called exit\(\)", r"Take out exit"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


@pytest.fixture(scope="module", params=SHAPES)
def task(request: pytest.FixtureRequest) -> tuple[LoadedSpec, DataSet]:
    """Each spec with its stand-in data."""
    loaded = load_spec(settings().specs_dir / request.param)
    return loaded, loaded.build_data(None, loaded.spec.seed, "standin")


def plant(spec_id: str, old: str, new: str, before: str = "") -> bytes:
    """The accepted solution with one thing replaced."""
    shape = SHAPES[spec_id]
    for key, text in shape.items():
        old, new = old.replace(f"{{{key}}}", text), new.replace(f"{{{key}}}", text)
    new = new.replace("{{", "{").replace("}}", "}")
    source = (settings().solutions_dir / spec_id / "accepted" / shape["file"]).read_text()
    assert old in source
    return (before + source.replace(old, new, 1)).encode()


def graded(task: tuple[LoadedSpec, DataSet], source: bytes, sandbox: Sandbox) -> GradeReport:
    loaded, data = task
    return pipeline.grade(loaded, unpack("submission.py", source), sandbox, data=data)


def first_trouble(report: GradeReport) -> CheckResult:
    """What the student reads first."""
    return next(check for check in report.checks if check.verdict not in (Verdict.PASSED, Verdict.SKIPPED))


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_has_a_message_that_says_what_to_do(
    task: tuple[LoadedSpec, DataSet], name: str, sandbox: Sandbox
) -> None:
    mistake = MISTAKES[name]
    report = graded(task, plant(task[0].spec.id, mistake.old, mistake.new, mistake.before), sandbox)
    check = first_trouble(report)
    said = f"{check.verdict}: {check.message} → {check.hint}"
    assert check.verdict is mistake.verdict, said
    assert re.search(mistake.says, check.message, re.S), said
    assert re.search(mistake.advises, check.hint, re.S), said
