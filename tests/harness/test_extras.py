"""Learning-rate schedules and weights files, in the forms in which students hand them in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from autograder.config import settings
from tests.harness.client import Harness, WarmServer

SOURCE = """
import math
import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
    def forward(self, x):
        return self.fc(x)

def make_scheduler(name, optimizer, total_steps, warmup_steps=0):
    if name == 'linear':
        rising, falling = (lambda s: (s + 1) / warmup_steps), (lambda s: 1 - s / total_steps)
        return LambdaLR(optimizer, lambda s: rising(s) if s < warmup_steps else falling(s))
    return CosineAnnealingLR(optimizer, total_steps)

def build(opt, kind, n, w):
    return make_scheduler(kind, opt, n, w)

class Mine:
    def __init__(self, optim): self.o, self.t = optim, 0
    def step(self):
        self.t += 1
        self.o.param_groups[0]['lr'] = 0.2 / math.sqrt(self.t + 1)

def own(optimiser): return Mine(optimiser)
def pair(optimizer, T_max): return optimizer, CosineAnnealingLR(optimizer, T_max)
def rate(step, base_lr, total): return base_lr * (1 - step / total)
def factor(step): return 0.5 ** step
def returns_function(max_lr, steps): return lambda s: max_lr * (1 - s / steps)
def returns_list(steps): return list(np.linspace(0.2, 0, steps))
def nothing(optimizer): pass
def odd(optimizer, flavour): pass
"""

WEIGHTS = """
import sys, torch, io
torch.manual_seed(0)
state = {'fc.weight': torch.arange(12.).reshape(3, 4), 'fc.bias': torch.zeros(3)}
torch.save(state, 'plain.pt')
torch.save({'epoch': 3, 'model_state_dict': {'module.' + k: v for k, v in state.items()}}, 'wrapped.pth')
torch.save({'fc.weight': state['fc.weight'], 'extra': torch.ones(2)}, 'partial.pt')
torch.save({'fc.weight': torch.zeros(5, 4)}, 'shape.pt')
torch.save(torch.nn.Linear(4, 3), 'whole.pt')
torch.save([1, 2], 'none.pt')
open('broken.pt', 'wb').write(b'PK rubbish')
from safetensors.torch import save_file
save_file(state, 'safe.safetensors')
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    folder = tmp_path_factory.mktemp("weights")
    subprocess.run([str(settings().runtime_python), "-c", WEIGHTS], cwd=folder, check=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def loaded(warm_server: WarmServer, weights: Mapping[str, bytes]) -> Iterator[Harness]:
    with closing(Harness(warm_server)) as harness:
        harness.load(SOURCE, files=weights)
        harness.put(x=np.eye(4, dtype=np.float32))
        yield harness


def follow(harness: Harness, name: str, parameters: Any = (), **options: Any) -> dict[str, Any]:
    entry = {"kind": "function", "names": [name], "factories": [], "parameters": [list(row) for row in parameters]}
    assert harness.result("resolve", entries={"f": entry})["f"]["found"]
    given = {"entry": "f", "base_lr": 0.2, "steps": 8, "warmup": 2, "seed": 0, **options}
    return harness.result("schedule", **given)


COSINE = 0.1 * (1 + np.cos(np.pi * np.arange(8) / 8))
FALLING = 0.2 * (1 - np.arange(8) / 8)
LINEAR = np.concatenate([[0.1, 0.2], FALLING[2:]])


@pytest.mark.parametrize(
    ("name", "expected", "how"),
    [
        ("own", 0.2 / np.sqrt(np.maximum(np.arange(8) + 1, 1)), "scheduler"),
        ("pair", COSINE, "scheduler"),
        ("rate", FALLING, "rate"),
        ("factor", 0.2 * 0.5 ** np.arange(8), "factor"),
        ("returns_function", FALLING, "rate"),
        ("returns_list", np.linspace(0.2, 0, 8), "list"),
    ],
)
def test_schedules_of_every_form_are_followed(loaded: Harness, name: str, expected: Any, how: str) -> None:
    followed = follow(loaded, name)
    np.testing.assert_allclose(followed["lrs"], expected, rtol=1e-6, atol=1e-9)
    assert followed["how"] == how


def test_the_second_group_of_the_optimiser_is_followed_too(loaded: Harness) -> None:
    for name, expected in (("own", np.full(8, 0.2)), ("pair", COSINE)):
        (other,) = follow(loaded, name)["others"]
        np.testing.assert_allclose(other, expected, rtol=1e-6, atol=1e-9)
    assert "others" not in follow(loaded, "rate")


@pytest.mark.parametrize(("kind", "expected"), [("linear", LINEAR), ("cosine", COSINE)])
def test_the_spec_s_arguments_and_the_supplied_ones_go_together(loaded: Harness, kind: str, expected: Any) -> None:
    declared = (("optimizer", "opt"), ("name", "kind"), ("total_steps",), ("warmup_steps",))
    for name, parameters in (("make_scheduler", ()), ("make_scheduler", declared), ("build", declared)):
        followed = follow(loaded, name, parameters, arguments={"name": kind})
        np.testing.assert_allclose(followed["lrs"], expected, rtol=1e-6, atol=1e-9)


def test_a_factory_that_returns_nothing_or_wants_more_says_so(loaded: Harness) -> None:
    for name, kind, words in (("nothing", "unsupported", "NoneType"), ("odd", "exception", "flavour")):
        loaded.function(name)
        error = loaded.error("schedule", entry="f", base_lr=0.2, steps=8, warmup=0, seed=0)
        assert error["kind"] == kind
        assert words in error["message"]


def load(harness: Harness, name: str) -> dict[str, Any]:
    return harness.result("checkpoint", handle=harness.model("Net"), file=name, inputs="x", seed=0)


@pytest.mark.parametrize("name", ["plain.pt", "wrapped.pth", "safe.safetensors"])
def test_weights_of_usual_files_are_loaded(loaded: Harness, name: str) -> None:
    told = load(loaded, name)
    assert (told["missing"], told["unexpected"]) == ([], [])
    assert {"name": "fc.weight", "shape": [3, 4], "dtype": "float32"} in told["tensors"]
    np.testing.assert_array_equal(told["outputs"], np.arange(12).reshape(3, 4).T)


def test_what_does_not_fit_is_listed(loaded: Harness) -> None:
    told = load(loaded, "partial.pt")
    assert (told["missing"], told["unexpected"]) == (["fc.bias"], ["extra"])


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("whole.pt", "exception", "not the whole model"),
        ("broken.pt", "exception", "can't be loaded"),
        ("none.pt", "unsupported", "holds no weights"),
        ("shape.pt", "exception", "size mismatch"),
        ("absent.pt", "missing", "absent.pt"),
    ],
)
def test_files_that_hold_no_fitting_weights_say_what_to_do(loaded: Harness, name: str, kind: str, words: str) -> None:
    error = loaded.error("checkpoint", handle=loaded.model("Net"), file=name, inputs="x", seed=0)
    assert error["kind"] == kind
    assert words in error["message"]
