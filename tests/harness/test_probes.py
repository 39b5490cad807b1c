"""The probes, each on a model whose right answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from tests.harness.client import Harness, WarmServer

ZOO = """
import random
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader

class Linear(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.fc = nn.Linear(4, classes)
    def forward(self, x):
        return self.fc(x)

class Constant(Linear):
    def forward(self, x):
        return x * 0 + 1

class Dropping(Linear):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(4)
    def forward(self, x):
        return self.fc(self.drop(self.norm(x)))

class RandomInEval(Linear):
    def forward(self, x):
        return self.fc(x) + torch.randn(len(x), 3)

class HalfUsed(Linear):
    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(2, 2)
        self.frozen = nn.Linear(4, 4)
        for p in self.frozen.parameters(): p.requires_grad = False
    def forward(self, x):
        return self.fc(self.frozen(x))

class Detached(Linear):
    def forward(self, x):
        return self.fc(x).detach()

class Answers(nn.Module):
    def __init__(self, kind='tensor'):
        super().__init__()
        self.kind = kind
        self.w = nn.Parameter(torch.ones(1))
    def forward(self, x):
        y = x[:, :2] * self.w
        return {'tensor': y, 'tuple': (y, x), 'dict': {'loss': 0, 'logits': y}, 'list': y.tolist(),
                'numpy': y.detach().numpy(), 'bfloat16': y.bfloat16(), 'half': y.half(), 'int': y.int(),
                'complex': torch.complex(y, y), 'none': None, 'text': 'hello', 'scalar': y.sum(),
                'double': y.double(), 'sparse': y.to_sparse(), 'nan': y / 0 * 0}[self.kind]

class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
    def forward(self, x):
        return self.conv(x).flatten(1)

def build(classes=3, scale=1.0, **rest):
    return Linear(classes), 'tokenizer'

def build_nothing():
    Linear()

def needs(a, b):
    return Linear()

def add(a, b=1):
    return a + b

def kinds():
    from collections import namedtuple
    return {'t': torch.ones(2), 'f': np.float32(1.5), 'l': [1, 'a', None, (True, 2.5)], 's': {3, 1}, 1: np.arange(3),
            'nt': namedtuple('P', 'x')(1), 'u': np.array([1], np.uint16), 'str': np.array(['a', 'b']), 'r': range(3)}

def long_list(): return [0.5] * 5000
def generator(): return (i for i in range(3))
def loops():
    a = []
    a.append(a)
    return a
def huge(): return 10 ** 30
def obj(): return object()
def what(x): return type(x).__name__
def frame():
    import pandas as pd
    return pd.DataFrame({'model': ['a', 'b'], 'f1': [0.5, 0.25]})
def draws(): return [random.random(), float(np.random.rand()), float(torch.rand(1))]
def leaves(): raise SystemExit(3)
def interrupts(): raise KeyboardInterrupt
def recurses(): return recurses()
def grabs(): return torch.empty(1 << 50)
def grabs_numpy(): return np.empty(1 << 50)
def asks(): return input('?')
def fetches():
    import urllib.request
    return urllib.request.urlopen('https://example.org')
def imports():
    import not_there_at_all
def fails(x):
    y = x + 1
    return y / 0
def spoils():
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    import json, sys
    json.dumps = json.loads = np.asarray = np.frombuffer = None
    sys.stdout = None
    return 1
results = {'accuracy': [0.5, 0.75]}
scores = np.asarray([0.25, 0.5])
"""


@pytest.fixture(scope="module")
def zoo(warm_server: WarmServer) -> Iterator[Harness]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    inputs = rng.standard_normal((40, 4)).astype(np.float32)
    inputs[np.arange(40), labels] += 3
    with closing(Harness(warm_server)) as harness:
        harness.load(ZOO)
        harness.put(x=inputs, y=labels, empty=inputs[:0], real=rng.standard_normal((40, 3)))
        yield harness


def build(zoo: Harness, name: str, seed: int = 0, **arguments: Any) -> str:
    return zoo.model(name, seed=seed, **arguments)


def forward(zoo: Harness, handle: str, **options: Any) -> dict[str, Any]:
    given = {"inputs": "x", "train": False, "batch_size": None, "repeat": 1, "seed": 0, **options}
    return zoo.result("forward", handle=handle, **given)


def call(zoo: Harness, name: str, *arguments: Any, **keywords: Any) -> Any:
    assert zoo.function(name)["found"]
    return zoo.result("call", entry="f", arguments=list(arguments), keywords=keywords)["value"]


def call_error(zoo: Harness, name: str, *arguments: Any) -> dict[str, Any]:
    assert zoo.function(name)["found"]
    return zoo.error("call", entry="f", arguments=list(arguments), keywords={})


# construct, parameters


def test_the_seed_decides_the_weights(zoo: Harness) -> None:
    outputs = [forward(zoo, build(zoo, "Linear", seed))["outputs"][0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])


def test_arguments_are_passed_if_the_signature_takes_them(zoo: Harness) -> None:
    handle = build(zoo, "Linear", classes=7, unheard_of=1)
    assert forward(zoo, handle)["outputs"][0].shape == (40, 7)
    zoo.result("resolve", entries={"model": {"kind": "model", "names": ["X"], "factories": ["build"]}})
    built = zoo.result("construct", entry="model", seed=0, arguments={"classes": 5})
    assert (built["class_name"], built["how"]) == ("Linear", "factory")
    assert forward(zoo, built["handle"])["outputs"][0].shape == (40, 5)


def test_models_that_cannot_be_built_say_why(zoo: Harness) -> None:
    cases = (("build_nothing", "unsupported", "NoneType"), ("needs", "exception", "needs arguments (a, b)"))
    for name, kind, text in cases:
        zoo.result("resolve", entries={"model": {"kind": "model", "names": ["X"], "factories": [name]}})
        error = zoo.error("construct", entry="model", seed=0, arguments={})
        assert error["kind"] == kind
        assert text in error["message"]


@pytest.mark.parametrize("parameters", [[], [["vocabulary"], ["classes"]]])
def test_a_model_that_cannot_take_the_arguments_of_the_task_says_which(zoo: Harness, parameters: list[object]) -> None:
    entry = {"kind": "model", "names": ["X"], "factories": ["needs"], "parameters": parameters}
    zoo.result("resolve", entries={"model": entry})
    message = zoo.error("construct", entry="model", seed=0, arguments={"vocabulary": 9})["message"]
    assert message == (
        "needs(a, b) can't be called with the parameters of the task, (vocabulary). "
        "Give it these parameters in this order; further ones need default values."
    )


def test_parameters_and_modules_are_listed(zoo: Harness) -> None:
    listed = zoo.result("parameters", handle=build(zoo, "HalfUsed"))
    by_name = {p["name"]: p for p in listed["parameters"]}
    assert by_name["fc.weight"] == {"name": "fc.weight", "shape": [3, 4], "dtype": "float32", "requires_grad": True}
    assert by_name["frozen.weight"]["requires_grad"] is False
    assert {"name": "unused", "type": "Linear"} in listed["modules"]


# forward


@pytest.mark.parametrize("batch_size", [None, 1, 7, 40, 100])
def test_batches_give_the_same_answer_as_the_whole(zoo: Harness, batch_size: int | None) -> None:
    handle = build(zoo, "Linear")
    whole = forward(zoo, handle)["outputs"][0]
    parts = forward(zoo, handle, batch_size=batch_size)["outputs"][0]
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)


def test_train_mode_and_randomness_show_between_repeats(zoo: Harness) -> None:
    dropping, random = build(zoo, "Dropping"), build(zoo, "RandomInEval")
    evaluated = forward(zoo, dropping, repeat=2)["outputs"]
    np.testing.assert_array_equal(*evaluated)
    trained = forward(zoo, dropping, repeat=2, train=True)["outputs"]
    assert not np.array_equal(*trained)
    first = forward(zoo, random, repeat=2)["outputs"]
    again = forward(zoo, random, repeat=2)["outputs"]
    assert not np.array_equal(*first)
    np.testing.assert_array_equal(first[0], again[0])


def test_no_rows_are_fine(zoo: Harness) -> None:
    assert forward(zoo, build(zoo, "Linear"), inputs="empty", batch_size=8)["outputs"][0].shape == (0, 3)


@pytest.mark.parametrize(
    ("kind", "dtype", "output_type"),
    [
        ("tensor", "float32", "Tensor"),
        ("tuple", "float32", "tuple"),
        ("dict", "float32", "dict"),
        ("list", "float64", "list"),
        ("numpy", "float32", "ndarray"),
        ("bfloat16", "float32", "Tensor"),
        ("half", "float16", "Tensor"),
        ("int", "int32", "Tensor"),
        ("double", "float64", "Tensor"),
        ("sparse", "float32", "Tensor"),
        ("nan", "float32", "Tensor"),
    ],
)
def test_every_kind_of_answer_becomes_an_array(zoo: Harness, kind: str, dtype: str, output_type: str) -> None:
    answer = forward(zoo, build(zoo, "Answers", kind=kind), batch_size=16)
    assert answer["outputs"][0].shape == (40, 2)
    assert answer["outputs"][0].dtype == dtype
    assert answer["output_type"] == output_type


def test_a_scalar_answer_keeps_having_no_axis(zoo: Harness) -> None:
    assert forward(zoo, build(zoo, "Answers", kind="scalar"))["outputs"][0].shape == ()


@pytest.mark.parametrize(("kind", "text"), [("complex", "complex"), ("none", "`return` missing"), ("text", "str")])
def test_answers_that_are_no_numbers_are_refused(zoo: Harness, kind: str, text: str) -> None:
    handle = build(zoo, "Answers", kind=kind)
    error = zoo.error("forward", handle=handle, inputs="x", train=False, seed=0)
    assert error["kind"] == "unsupported"
    assert text in error["message"]


def test_a_wrong_shape_is_the_students_exception_with_its_line(zoo: Harness) -> None:
    error = zoo.error("forward", handle=build(zoo, "Images"), inputs="x", train=False, seed=0)
    assert (error["kind"], error["type"]) == ("exception", "RuntimeError")
    assert error["where"].startswith("submission.py, line")
    assert "return self.conv(x).flatten(1)" in error["trace"]
    assert "site-packages" not in error["trace"]


def test_handles_and_arrays_that_are_not_there_are_missing(zoo: Harness) -> None:
    assert zoo.error("forward", handle="m999", inputs="x", seed=0)["kind"] == "missing"
    assert zoo.error("forward", handle=build(zoo, "Linear"), inputs="nope", seed=0)["kind"] == "missing"


# gradients, overfit


def test_gradient_norms_are_those_of_the_cross_entropy(zoo: Harness) -> None:
    handle = build(zoo, "HalfUsed")
    norms = zoo.result("gradient_norms", handle=handle, inputs="x", targets="y", seed=0)
    by_name = {p["name"]: p["norm"] for p in norms["parameters"]}
    assert by_name["fc.weight"] > 0
    assert by_name["unused.weight"] is None
    assert by_name["frozen.weight"] is None
    logits = forward(zoo, handle)["outputs"][0]
    assert norms["loss"] == pytest.approx(cross_entropy(zoo, logits), rel=1e-5)


def cross_entropy(zoo: Harness, logits: np.ndarray[Any, Any]) -> float:
    labels = np.random.default_rng(0).integers(0, 3, 40)
    shifted = logits - logits.max(1, keepdims=True)
    return float(-(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))[np.arange(40), labels].mean())


def test_the_gradient_of_a_linear_model_is_exact(zoo: Harness) -> None:
    handle = build(zoo, "Linear")
    logits = forward(zoo, handle)["outputs"][0].astype(np.float64)
    got = zoo.result("gradient_norms", handle=handle, inputs="x", targets=None, seed=0)
    bias = next(p for p in got["parameters"] if p["name"] == "fc.bias")
    assert got["loss"] == pytest.approx((logits**2).sum(), rel=1e-4)
    assert bias["norm"] == pytest.approx(np.linalg.norm(2 * logits.sum(0)), rel=1e-4)


def test_a_detached_model_has_no_gradient_at_all(zoo: Harness) -> None:
    norms = zoo.result("gradient_norms", handle=build(zoo, "Detached"), inputs="x", targets="y", seed=0)
    assert {p["norm"] for p in norms["parameters"]} == {None}
    assert np.isfinite(norms["loss"])


def test_probing_gradients_changes_nothing(zoo: Harness) -> None:
    handle = build(zoo, "Dropping")
    before = forward(zoo, handle)["outputs"][0]
    zoo.result("gradient_norms", handle=handle, inputs="x", targets="y", seed=0)
    np.testing.assert_array_equal(forward(zoo, handle)["outputs"][0], before)


def test_a_sound_model_overfits_a_batch_and_others_do_not(zoo: Harness) -> None:
    options = {"inputs": "x", "targets": "y", "steps": 60, "lr": 0.05, "seed": 0}
    good = zoo.result("overfit", handle=build(zoo, "Linear"), **options)
    assert len(good["losses"]) == 60
    assert good["losses"][-1] < 0.3 * good["losses"][0]
    before, after = (cross_entropy(zoo, o) for o in good["outputs"])
    assert before == pytest.approx(good["losses"][0], rel=1e-5)
    assert after < good["losses"][0] / 3
    for name in ("Constant", "Detached"):
        stuck = zoo.result("overfit", handle=build(zoo, name), **options)
        np.testing.assert_array_equal(*stuck["outputs"])


def test_real_valued_targets_are_fitted_by_squares(zoo: Harness) -> None:
    fitted = zoo.result("overfit", handle=build(zoo, "Linear"), inputs="x", targets="real", steps=50, lr=0.05, seed=0)
    assert fitted["losses"][-1] < fitted["losses"][0]


# call


def test_calls_take_arrays_or_tensors(zoo: Harness) -> None:
    np.testing.assert_array_equal(call(zoo, "add", np.arange(3), b=2), [2, 3, 4])
    assert call(zoo, "add", 1) == 2
    assert call(zoo, "what", np.zeros(2)) == "ndarray"
    assert zoo.result("call", entry="f", arguments=[np.zeros(2)], keywords={}, as_tensor=True)["value"] == "Tensor"


def test_answers_of_every_usual_kind_travel(zoo: Harness) -> None:
    answer = call(zoo, "kinds")
    np.testing.assert_array_equal(answer.pop("t"), [1, 1])
    np.testing.assert_array_equal(answer.pop("1"), [0, 1, 2])
    np.testing.assert_array_equal(answer.pop("u"), [1])
    rest = {"f": 1.5, "l": [1, "a", None, [True, 2.5]], "s": [1, 3], "nt": [1], "str": ["a", "b"], "r": [0, 1, 2]}
    assert answer == rest
    assert call(zoo, "long_list").shape == (5000,)
    assert call(zoo, "frame") == {"model": ["a", "b"], "f1": [0.5, 0.25]}


def test_values_are_read_by_calling_without_arguments(zoo: Harness) -> None:
    for name, expected in (("results", {"accuracy": [0.5, 0.75]}), ("scores", [0.25, 0.5])):
        assert zoo.function(name, kind="value")["how"] == "name"
        found = zoo.result("call", entry="f", arguments=[], keywords={})["value"]
        assert (found.tolist() if isinstance(found, np.ndarray) else found) == expected


@pytest.mark.parametrize("name", ["generator", "loops", "huge", "obj"])
def test_answers_that_cannot_travel_are_unsupported(zoo: Harness, name: str) -> None:
    assert call_error(zoo, name)["kind"] == "unsupported"


def test_the_seed_decides_what_is_drawn(zoo: Harness) -> None:
    zoo.function("draws")
    draws = [zoo.result("call", entry="f", arguments=[], keywords={}, seed=s)["value"] for s in (1, 1, 2)]
    assert draws[0] == draws[1]
    assert all(a != b for a, b in zip(draws[0], draws[2], strict=True))


# errors


@pytest.mark.parametrize(
    ("name", "kind", "type_name", "text"),
    [
        ("leaves", "exception", "SystemExit", "exit(3)"),
        ("interrupts", "exception", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("recurses", "exception", "RecursionError", "recursion"),
        ("grabs", "memory", "RuntimeError", "memory"),
        ("asks", "input", "InputRefused", "Put the value into the code"),
        ("fetches", "network", "URLError", "network"),
        ("imports", "missing_package", "ModuleNotFoundError", "not_there_at_all"),
    ],
)
def test_every_kind_of_error_is_told_apart(zoo: Harness, name: str, kind: str, type_name: str, text: str) -> None:
    error = call_error(zoo, name)
    assert (error["kind"], error["type"]) == (kind, type_name)
    assert text in error["message"]
    assert len(error["trace"]) <= 4000
    assert error["where"].startswith("submission.py, line ")


def test_numpy_running_out_of_memory_is_memory_too(zoo: Harness) -> None:
    assert call_error(zoo, "grabs_numpy")["kind"] == "memory"


def test_an_error_names_the_students_line_and_shows_it(zoo: Harness) -> None:
    error = call_error(zoo, "fails", 1)
    line = ZOO.split("\n").index("    return y / 0") + 1
    assert error["where"] == f"submission.py, line {line}"
    assert "return y / 0" in error["trace"]
    assert "harness" not in error["trace"]


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("nonsense", {}),
        ("forward", {}),
        ("forward", {"handle": 3, "inputs": "x"}),
        ("call", {"entry": "unresolved"}),
        ("resolve", {"entries": {"a": {"kind": "dragon", "names": ["x"]}}}),
        ("resolve", {"entries": {"a": 3}}),
        ("put", {"name": "x", "value": 3}),
        ("overfit", {"handle": "m1", "inputs": "x", "targets": "y", "steps": 0, "lr": 0.1}),
        ("load", {"files": [], "main": "x", "mode": "definitions"}),
    ],
)
def test_the_judges_own_mistakes_are_bad_requests(zoo: Harness, op: str, arguments: dict[str, Any]) -> None:
    assert zoo.error(op, **arguments)["kind"] == "bad_request"


def test_switches_and_functions_that_student_code_moves_do_not_break_later_probes(zoo: Harness) -> None:
    assert call(zoo, "spoils") == 1
    handle = build(zoo, "Linear")
    norms = zoo.result("gradient_norms", handle=handle, inputs="x", targets="y", seed=0)
    assert all(p["norm"] for p in norms["parameters"])
