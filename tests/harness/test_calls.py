"""Many calls in one request, arguments that the harness makes, files beside the submission."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from tests.harness.client import Harness, WarmServer

SOURCE = """
import numpy as np
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, num_classes, vectors):
        super().__init__()
        self.emb = nn.Embedding.from_pretrained(torch.as_tensor(vectors))
        self.fc = nn.Linear(vectors.shape[1], num_classes)
    def forward(self, x):
        return self.fc(self.emb(x).mean(1))

class FromNumpy(Net):
    def __init__(self, num_classes, vectors):
        super().__init__(num_classes, torch.from_numpy(vectors))

def out_size(Width, kernel, padding=0):
    if kernel > Width + 2 * padding:
        raise ValueError('the kernel is larger than the input')
    return Width + 2 * padding - kernel + 1

def spoils(x):
    x += 1
    return x

def stops(x):
    if x == 1: raise SystemExit(0)
    if x == 2: return object()
    if x == 3: return 'a' * (1 << 21)
    return x

class TooLarge(ValueError):
    pass

def sorts(x, fail=False):
    x.sort()
    if fail: raise TooLarge('no')
    return 0

def kinds(values):
    return type(values).__name__

def logits_of(model, x):
    return model(x)

def rows(data):
    return [len(data), data[1][1].item(), str(data[0][1].dtype)]

def is_training(model):
    return model.training

def bias_of(model):
    return model.fc.bias.detach()

def move_bias(model, train_set, epochs, batch_size, lr):
    with torch.no_grad():
        model.fc.bias[:] = torch.tensor([len(train_set), epochs, batch_size + lr])
    model.eval()

trainings = []

def noted(model, train_set, epochs, batch_size, lr):
    trainings.append(model)
    model.forward = lambda x, plain=model.forward: plain(x) * float(model.training)

def number_of(model):
    return [trainings.index(model), float(model(torch.zeros(2, 5, dtype=torch.int64)).abs().sum()) > 0]

def name_of(function):
    return function.__name__

def read(path):
    return open(path).read()

def overwrite(path):
    open(path, 'w').write('mine')
"""


@pytest.fixture(scope="module")
def loaded(warm_server: WarmServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    data = tmp_path_factory.mktemp("data")
    (data / "notes").mkdir()
    (data / "notes" / "a.txt").write_bytes(b"given")
    with closing(Harness(warm_server)) as harness:
        files = [{"name": "submission.py", "data": SOURCE.encode()}, {"name": "notes/a.txt", "data": b"student's"}]
        harness.result("load", files=files, data=str(data), main="submission.py", mode="definitions", seed=0)
        harness.put(x=np.arange(6, dtype=np.float32).reshape(2, 3), y=np.array([4, 5]))
        yield harness


def calls(harness: Harness, name: str, *cases: Any, parameters: Any = (), **options: Any) -> list[dict[str, Any]]:
    entry = {"kind": "function", "names": [name], "factories": [], "parameters": [list(row) for row in parameters]}
    assert harness.result("resolve", entries={"f": entry})["f"]["found"]
    listed = [c if isinstance(c, dict) else {"arguments": list(c), "keywords": {}} for c in cases]
    assert harness.result("calls", entry="f", cases=listed, **options) == {}
    return [{k: v for k, v in event.items() if k in ("value", "error", "arguments")} for event in harness.events]


def test_every_case_is_answered_in_order_and_an_error_costs_one(loaded: Harness) -> None:
    declared = (("w", "width"), ("f", "kernel", "filter"), ("p", "padding"))
    cases = [[5, 3, 0], [3, 5, 0], {"arguments": [5], "keywords": {"p": 1, "f": 3}}]
    first, second, third = calls(loaded, "out_size", *cases, parameters=declared)
    assert (first, third) == ({"value": 3}, {"value": 5})
    assert second["error"]["type"] == "ValueError"
    assert second["error"]["where"].startswith("submission.py, line")
    assert "larger" in second["error"]["message"]


def test_what_ends_a_program_or_cannot_travel_costs_one_answer(loaded: Harness) -> None:
    answers = calls(loaded, "stops", [0], [1], [2], [3], [4])
    assert (answers[0], answers[4]) == ({"value": 0}, {"value": 4})
    assert [a["error"]["kind"] for a in answers[1:4]] == ["exception", "unsupported", "unsupported"]
    assert answers[1]["error"]["type"] == "SystemExit"


def test_a_wrong_signature_is_no_answer_to_a_case(loaded: Harness) -> None:
    entry = {"kind": "function", "names": ["out_size"], "factories": [], "parameters": [["a"]]}
    loaded.result("resolve", entries={"f": entry})
    error = loaded.error("calls", entry="f", cases=[{"arguments": [1], "keywords": {}}])
    assert error["type"] == "TypeError"
    assert "out_size(Width, kernel, padding=0)" in error["message"]
    assert loaded.events == []


def test_arrays_come_as_arrays_or_tensors_and_cannot_be_spoilt(loaded: Harness) -> None:
    ref = {"$ref": "array", "name": "x"}
    for as_tensor, kind in ((False, "ndarray"), (True, "Tensor")):
        options = {"as_tensor": as_tensor}
        assert calls(loaded, "kinds", [ref], [np.zeros(2)], **options) == [{"value": kind}] * 2
        first, second = calls(loaded, "spoils", [ref], [ref], **options)
        np.testing.assert_array_equal(first["value"], second["value"])


def test_arguments_come_back_as_they_are_after_the_call(loaded: Harness) -> None:
    answers = calls(loaded, "sorts", [[2, 1]], [[3, 1], True], [np.array([2.0, 1.0])], keep_arguments=True)
    assert answers[0] == {"value": 0, "arguments": [[1, 2]]}
    assert answers[1]["arguments"] == [[1, 3], True]
    np.testing.assert_array_equal(answers[2]["arguments"][0], [1.0, 2.0])


def test_an_exception_names_the_built_in_one_it_inherits_from(loaded: Harness) -> None:
    answer = calls(loaded, "sorts", [[1], True])[0]
    assert (answer["error"]["type"], answer["error"]["base"]) == ("TooLarge", "ValueError")


def test_a_given_model_has_dropout_if_it_is_asked_for(loaded: Harness) -> None:
    model = {"$ref": "given_model", "weight": np.eye(40, dtype=np.float32), "bias": np.zeros(40, np.float32)}
    for fields, dropped in (({}, False), ({"dropout": 0.5}, False), ({"dropout": 0.5, "train": True}, True)):
        answer = calls(loaded, "logits_of", [{**model, **fields}, np.ones((1, 40), np.float32)], as_tensor=True)[0]
        assert (set(np.unique(answer["value"])) == {0.0, 2.0}) is dropped


def test_objects_are_made_for_arguments(loaded: Harness) -> None:
    weight, bias = np.eye(2, 3, dtype=np.float32), np.array([0, 10], np.float32)
    model = {"$ref": "given_model", "weight": weight, "bias": bias}
    answer = calls(loaded, "logits_of", [model, {"$ref": "array", "name": "x"}], as_tensor=True)[0]
    np.testing.assert_allclose(answer["value"], [[0, 11], [3, 14]])
    data = {"$ref": "dataset", "inputs": "x", "targets": "y"}
    assert calls(loaded, "rows", [data]) == [{"value": [2, 5, "torch.int64"]}]
    assert calls(loaded, "name_of", [{"$ref": "entry", "name": "f"}]) == [{"value": "name_of"}]


@pytest.mark.parametrize("name", ["Net", "FromNumpy"])
def test_models_are_built_with_the_spec_s_arguments(loaded: Harness, name: str) -> None:
    vectors = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    loaded.put(vectors=vectors)
    entry = {"kind": "model", "names": [name], "factories": [], "parameters": [["classes", "num_classes"], ["vectors"]]}
    loaded.result("resolve", entries={"model": entry})
    given = {"classes": 3, "vectors": {"$ref": "array", "name": "vectors"}}
    handle = loaded.result("construct", entry="model", seed=0, arguments=given)["handle"]
    shapes = {p["name"]: p["shape"] for p in loaded.result("parameters", handle=handle)["parameters"]}
    assert shapes == {"emb.weight": [9, 4], "fc.weight": [3, 4], "fc.bias": [3]}
    built = {"$ref": "built", "name": "model", "arguments": given}
    answer = calls(loaded, "logits_of", [built, np.zeros((2, 5), np.int64)], as_tensor=True)[0]
    assert answer["value"].shape == (2, 3)


def test_a_built_model_is_trained_first_if_it_is_asked_for(loaded: Harness) -> None:
    tokens, labels = np.zeros((10, 5), np.int64), np.zeros(10, np.int64)
    loaded.put(tokens=tokens, labels=labels, vectors=np.zeros((9, 4), np.float32))
    model = {
        "kind": "model",
        "names": ["Net"],
        "factories": [],
        "parameters": [["classes", "num_classes"], ["vectors"]],
    }
    training = {"kind": "function", "names": ["move_bias"], "factories": [], "parameters": []}
    loaded.result("resolve", entries={"model": model, "fine_tune": training})
    given = {"classes": 3, "vectors": {"$ref": "array", "name": "vectors"}}
    built = {"$ref": "built", "name": "model", "arguments": given}
    how = {"function": "fine_tune", "inputs": "tokens", "targets": "labels", "epochs": 3, "batch_size": 4, "lr": 0.5}
    (answer,) = calls(loaded, "bias_of", [{**built, **how}])
    np.testing.assert_allclose(answer["value"], [10, 3, 4.5])
    modes = calls(loaded, "is_training", [built], [{**built, **how}], [{**built, **how, "train": True}])
    assert [answer["value"] for answer in modes] == [True, False, True]
    loaded.function("bias_of")
    for wrong in ({"epochs": 0}, {"lr": None}, {"inputs": None}):
        case = {"arguments": [{**built, **how, **wrong}], "keywords": {}}
        assert loaded.error("calls", entry="f", cases=[case])["kind"] == "bad_request"


def test_a_model_that_was_just_trained_is_handed_over_once_and_is_the_model_itself(loaded: Harness) -> None:
    loaded.put(tokens=np.zeros((10, 5), np.int64), labels=np.zeros(10, np.int64), vectors=np.ones((9, 4), np.float32))
    model = {"kind": "model", "names": ["Net"], "factories": [], "parameters": []}
    training = {"kind": "function", "names": ["noted"], "factories": [], "parameters": []}
    loaded.result("resolve", entries={"model": model, "noted": training})
    given = {"num_classes": 3, "vectors": {"$ref": "array", "name": "vectors"}}
    how = {"inputs": "tokens", "targets": "labels", "epochs": 3, "batch_size": 4, "lr": 0.5}
    built = {"$ref": "built", "name": "model", "arguments": given, "function": "noted", "train": True, **how}

    def train(*first: str, **more: Any) -> None:
        handle = loaded.result("construct", entry="model", seed=0, arguments=given)["handle"]
        for op in first:
            loaded.result(op, handle=handle)
        loaded.result("train", handle=handle, entry="noted", seed=0, leftover=False, **{**how, **more})

    def numbers(times: int, **more: Any) -> list[list[Any]]:
        return [answer["value"] for answer in calls(loaded, "number_of", *([{**built, **more}] for _ in range(times)))]

    train()
    assert numbers(1, epochs=2) == [[1, True]]  # other training
    assert numbers(3) == [[0, True], [2, True], [3, True]]
    for number, (first, more) in enumerate(
        (
            (("parameters",), {}),
            ((), {"validation_inputs": "tokens", "validation_targets": "labels"}),
            ((), {"lr": 0.4}),
        )
    ):
        train(*first, **more)
        assert numbers(1) == [[5 + 2 * number, True]], (first, more)


def test_files_of_the_task_lie_beside_the_submission_and_win(loaded: Harness) -> None:
    assert calls(loaded, "read", ["notes/a.txt"]) == [{"value": "given"}]


def test_unknown_references_are_the_judges_mistake(loaded: Harness) -> None:
    loaded.function("kinds")
    for ref in ({"$ref": "dragon"}, {"$ref": "array"}, {"$ref": "given_model", "weight": 1}):
        error = loaded.error("calls", entry="f", cases=[{"arguments": [ref], "keywords": {}}])
        assert error["kind"] == "bad_request"
