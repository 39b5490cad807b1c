"""Predicting with the model or with the student's function."""

from __future__ import annotations

import numpy as np
import pytest

from tests.harness.client import Harness

MODULE = """
import numpy as np
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.drop = nn.Dropout(0.9)
    def forward(self, x):
        return self.drop(self.fc(x))

@torch.no_grad()
def from_tensor(model, X):
    model.eval()
    return model(X).argmax(dim=1)

def from_loader(net, test_loader, device):
    net.eval()
    found = []
    for images, labels in test_loader:
        found.append(net(images.to(device)).argmax(1))
    return found

def as_list(model, images):
    model.eval()
    return [model(image[None]).argmax(1).item() for image in images]

def as_dict(model, inputs):
    model.eval()
    return {'logits': model(inputs)}

def without_model(x):
    return np.asarray(x).sum(1)

def labels_wanted(model, X_test, y_test):
    return y_test

def words(model, X):
    return ['cat'] * len(X)
"""


@pytest.fixture
def ready(harness: Harness) -> Harness:
    harness.load(MODULE)
    harness.put(x=np.random.default_rng(0).standard_normal((10, 4)).astype(np.float32))
    return harness


def test_the_model_predicts_in_eval_mode(ready: Harness) -> None:
    handle = ready.model("Net")
    first = ready.result("predict", handle=handle, entry=None, inputs="x", batch_size=3, seed=0)
    assert first["outputs"].shape == (10, 3)
    assert first["output_type"] == "Tensor"
    forward = ready.result("forward", handle=handle, inputs="x", train=False, seed=0)["outputs"][0]
    np.testing.assert_allclose(first["outputs"], forward, rtol=1e-5, atol=1e-6)


def test_functions_of_every_usual_kind_agree_with_the_model(ready: Harness) -> None:
    handle = ready.model("Net")
    logits = ready.result("predict", handle=handle, entry=None, inputs="x", batch_size=3, seed=0)["outputs"]
    kinds = {"from_tensor": "Tensor", "from_loader": "list", "as_list": "list"}
    for name, kind in kinds.items():
        ready.function(name)
        found = ready.result("predict", handle=handle, entry="f", inputs="x", batch_size=3, seed=0)
        np.testing.assert_array_equal(found["outputs"], logits.argmax(1))
        assert found["output_type"] == kind
    ready.function("as_dict")
    found = ready.result("predict", handle=handle, entry="f", inputs="x", batch_size=3, seed=0)
    np.testing.assert_allclose(found["outputs"], logits, rtol=1e-5, atol=1e-6)


def test_a_function_may_do_without_a_model(ready: Harness) -> None:
    ready.function("without_model")
    assert ready.result("predict", handle=None, entry="f", inputs="x", seed=0)["outputs"].shape == (10,)
    ready.function("from_tensor")
    assert "`model`" in ready.error("predict", handle=None, entry="f", inputs="x", seed=0)["message"]
    assert ready.error("predict", handle=None, entry=None, inputs="x", seed=0)["kind"] == "missing"


def test_labels_are_never_supplied(ready: Harness) -> None:
    handle = ready.model("Net")
    ready.function("labels_wanted")
    assert "`y_test`" in ready.error("predict", handle=handle, entry="f", inputs="x", seed=0)["message"]


def test_words_are_no_predictions(ready: Harness) -> None:
    handle = ready.model("Net")
    ready.function("words")
    assert ready.error("predict", handle=handle, entry="f", inputs="x", seed=0)["kind"] == "unsupported"
