"""Looking into models: the operations they run, what dropout does, what training moves, padding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from tests.harness.client import Harness, WarmServer

SOURCE = """
import torch
import torch.nn as nn
import torch.nn.functional as F

class Modules(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2))
        self.flat = nn.Flatten()
        self.fc = nn.Sequential(nn.Linear(18, 8), nn.Sigmoid(), nn.Dropout(0.5), nn.Linear(8, 3), nn.LogSoftmax(1))
    def forward(self, x):
        return self.fc(self.flat(self.features(x)))

class Functions(Modules):
    def forward(self, x):
        conv, norm = self.features[0], self.features[1]
        x = F.max_pool2d(torch.relu(norm(conv(x))), 2)
        x = x.view(x.size(0), -1)
        x = F.dropout(self.fc[0](x).sigmoid(), 0.5, self.training)
        return F.log_softmax(self.fc[3](x), dim=1)

class Attends(nn.Module):
    def __init__(self, by_hand=False):
        super().__init__()
        self.emb = nn.Embedding(20, 8, padding_idx=0)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm = nn.LSTM(8, 4, batch_first=True, bidirectional=True)
        self.out = nn.Linear(8, 3)
        self.by_hand = by_hand
    def forward(self, ids, mask=None):
        x = self.emb(ids)
        if self.by_hand:
            weights = torch.softmax(x @ x.transpose(1, 2), -1)
            y = weights @ x
        else:
            y, _ = self.attention(x, x, x, need_weights=False)
        y, _ = self.lstm(x + y)
        return self.out(y.mean(1))

class Packs(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 4)
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.layer = nn.TransformerEncoderLayer(5, 1, 8, batch_first=True)
    def forward(self, ids):
        packed = nn.utils.rnn.pack_padded_sequence(self.emb(ids), torch.tensor([4, 3, 3]), batch_first=True)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.layer(y).clamp(min=0).mean(1)

class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.LazyLinear(3)
    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(x)
        return self.fc(x.flatten(1)) if x.sum() > 1e9 else self.fc(x.reshape(len(x), -1))

class Endless(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)
    def forward(self, x):
        for _ in range(5000):
            x = torch.relu(x)
        return x

class MyDropout(nn.Module):
    def __init__(self, rate=0.25):
        super().__init__()
        self.rate = rate
    def forward(self, x):
        if not self.training: return x
        return x * (torch.rand_like(x) > self.rate) / (1 - self.rate)

class Drops(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(36, 200)
        self.mine = MyDropout()
        self.drop = nn.Dropout(0.5, inplace=True)
        self.out = nn.Linear(200, 3)
    def forward(self, x):
        x = self.drop(self.mine(self.fc(x.flatten(1))))
        return self.out(F.dropout(x, 0.1))

class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(36, 4), nn.Linear(4, 3)
        self.body.requires_grad_(False)
        self.unused = nn.Linear(2, 2)
    def forward(self, x):
        return self.head(torch.relu(self.body(x.flatten(1))))

def train(model, loader, epochs, lr):
    for p in model.parameters(): p.requires_grad_(True)
    optimiser = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for x, y in loader:
            optimiser.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimiser.step()

def in_eval_mode_and_in_order(model, train_set, epochs, batch_size):
    model.eval()
    optimiser = torch.optim.Adam(model.parameters())
    for _ in range(epochs):
        for x, y in torch.utils.data.DataLoader(train_set, batch_size):
            F.cross_entropy(model(x), y).backward()
            optimiser.step()

def read_at_once(model, train_set, epochs, lr):
    x, y = next(iter(torch.utils.data.DataLoader(train_set, len(train_set))))
    optimisers = [torch.optim.SGD(part.parameters(), lr=lr) for part in (model.fc, model.out)]
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(10):
            F.cross_entropy(model.train()(x[rows]), y[rows]).backward()
            for optimiser in optimisers: optimiser.step()

class Padded(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 1)
        self.lin = nn.Linear(4, 2)
    def forward(self, ids, lengths, attention_mask=None, key_padding_mask=None, token_type_ids=None):
        assert lengths.dtype == torch.int64
        return torch.stack([lengths.float(), attention_mask.sum(1).float(), key_padding_mask.sum(1).float(),
                            token_type_ids.sum(1).float()], 1) + 0 * self.lin.weight.sum()
"""


@pytest.fixture(scope="module")
def loaded(warm_server: WarmServer) -> Iterator[Harness]:
    draw = np.random.default_rng(0)
    with closing(Harness(warm_server)) as harness:
        harness.load(SOURCE)
        images = draw.standard_normal((6, 1, 8, 8)).astype(np.float32)
        small = draw.standard_normal((30, 1, 6, 6)).astype(np.float32)
        ids = np.array([[3, 4, 5, 0], [6, 0, 7, 0], [0, 0, 0, 0]])
        harness.put(images=images, small=small, y=draw.integers(0, 3, 30), ids=ids)
        yield harness


def ask(harness: Harness, op: str, model: str, inputs: str, build: Any = (), **options: Any) -> dict[str, Any]:
    return harness.result(op, handle=harness.model(model, **dict(build)), inputs=inputs, seed=0, **options)


def names(traced: dict[str, Any]) -> list[str]:
    return [op["op"] for op in traced["ops"]]


CHAIN = ["conv2d", "batch_norm", "relu", "max_pool", "flatten", "linear", "sigmoid", "dropout", "linear", "log_softmax"]


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("model", ["Modules", "Functions"])
def test_modules_and_functions_show_the_same_operations(loaded: Harness, model: str, train: bool) -> None:
    traced = ask(loaded, "trace", model, "images", train=train)
    assert names(traced) == CHAIN
    by_op = {op["op"]: op for op in traced["ops"]}
    assert by_op["conv2d"] | {} == {
        "op": "conv2d",
        "module": "features.0",
        "in": [[6, 1, 8, 8]],
        "out": [[6, 2, 6, 6]],
    }
    assert by_op["flatten"]["out"] == [[6, 18]]
    assert by_op["batch_norm"]["affine"] is True
    assert (by_op["dropout"]["p"], by_op["batch_norm"]["track"], by_op["log_softmax"]["dim"]) == (0.5, True, 1)
    assert (by_op["max_pool"]["kernel"], by_op["max_pool"]["stride"]) == (2, 2)
    assert by_op["relu"]["module"] == ("features.2" if model == "Modules" else "")
    assert {"name": "fc.0", "type": "Linear"} in traced["modules"]


def test_layers_of_many_steps_count_once(loaded: Harness) -> None:
    assert names(ask(loaded, "trace", "Attends", "ids")) == ["embedding", "attention", "add", "lstm", "mean", "linear"]
    by_hand = names(ask(loaded, "trace", "Attends", "ids", {"by_hand": True}))
    assert by_hand == ["embedding", "matmul", "softmax", "matmul", "add", "lstm", "mean", "linear"]


def test_packed_sequences_and_whole_encoder_layers_are_seen_inside(loaded: Harness) -> None:
    layer = ["attention", "dropout", "add", "layer_norm", "linear", "relu", "dropout", "linear", "dropout", "add"]
    traced = ask(loaded, "trace", "Packs", "ids")
    assert names(traced) == ["embedding", "lstm", *layer, "layer_norm", "relu", "mean"]
    assert [op["module"] for op in traced["ops"]][1:3] == ["lstm", "layer.self_attn"]


def test_lazy_branching_and_endless_models_are_traced(loaded: Harness) -> None:
    assert names(ask(loaded, "trace", "Lazy", "images")) == ["tanh"] * 3 + ["flatten", "linear"]
    assert names(ask(loaded, "trace", "Endless", "small")) == ["relu"] * 4000


def test_an_error_while_tracing_is_the_students_and_leaves_no_hook(loaded: Harness) -> None:
    handle = loaded.model("Modules")
    assert loaded.error("trace", handle=handle, inputs="small", seed=0)["type"] == "RuntimeError"
    assert names(ask(loaded, "trace", "Modules", "images")) == CHAIN


def test_dropouts_are_measured_where_they_happen(loaded: Harness) -> None:
    told = ask(loaded, "behave", "Drops", "small", repeat=8)
    assert len(told["eval"]) == 2
    assert len(told["train"]) == 8
    mine, half, always = sorted(told["dropout"], key=lambda row: ["mine", "drop", ""].index(row["module"]))
    for row, p in ((mine, 0.25), (half, 0.5), (always, 0.1)):
        assert row["p"] == pytest.approx(p)
        assert row["zeros"] == pytest.approx(p, abs=0.02)
        assert row["scale"] == pytest.approx(1 / (1 - p), rel=1e-4)
        assert row["count"] > 5000
    assert (mine["eval_zeros"], half["eval_zeros"]) == (0, 0)
    assert always["eval_zeros"] == pytest.approx(0.1, abs=0.02)  # F.dropout without self.training
    assert not np.array_equal(*told["eval"])


def test_running_statistics_and_first_weights_are_told(loaded: Harness) -> None:
    told = ask(loaded, "behave", "Modules", "images", repeat=3)
    np.testing.assert_array_equal(*told["eval"])
    buffers = {row["name"]: row for row in told["buffers"]}
    assert (
        buffers["features.1.num_batches_tracked"]["before"],
        buffers["features.1.num_batches_tracked"]["after"],
    ) == (
        0,
        3,
    )
    weights = {row["name"]: row for row in told["weights"]}
    first = weights["fc.0.weight"]
    assert (first["layer"], first["shape"], first["fan_in"], first["fan_out"]) == ("Linear", [8, 18], 18, 8)
    assert 0 < first["std"] < first["max"] <= 1 / np.sqrt(18) + 1e-6
    assert weights["fc.0.bias"]["fan_in"] is None


def test_what_training_moves_is_told(loaded: Harness) -> None:
    given = {"targets": "y", "steps": 3, "lr": 0.1}
    told = ask(loaded, "moves", "Frozen", "small", **given)
    assert told["loop"] is None
    rows = {row["name"]: row for row in told["parameters"]}
    assert rows["body.weight"] == {
        "name": "body.weight",
        "shape": [4, 36],
        "requires_grad": False,
        "count": 144,
        "change": 0.0,
        "norm": rows["body.weight"]["norm"],
    }
    assert rows["head.weight"]["change"] > 0.1
    assert rows["unused.weight"]["change"] == 0
    assert not np.array_equal(*told["outputs"])
    tailed = {row["name"]: row for row in ask(loaded, "moves", "Frozen", "small", tail=3, **given)["parameters"]}
    assert tailed["body.weight"]["tail_change"] == 0
    assert 0 < tailed["body.weight"]["tail_norm"] < tailed["body.weight"]["norm"]
    assert "tail_norm" not in tailed["body.bias"]
    assert loaded.function("train")["found"]
    handle = loaded.model("Frozen")
    loaded.function("train")
    own = loaded.result("moves", handle=handle, inputs="small", entry="f", seed=0, **given)
    assert next(row for row in own["parameters"] if row["name"] == "body.weight")["change"] > 0


@pytest.mark.parametrize(
    ("function", "seen"),
    [
        ("train", {"steps": 6, "most": 6, "dropout_off": 0, "in_order": 0, "passes": 2}),
        ("in_eval_mode_and_in_order", {"steps": 6, "most": 6, "dropout_off": 6, "in_order": 6, "passes": 2}),
        ("read_at_once", {"steps": 12, "most": 6, "dropout_off": 0, "in_order": 1, "passes": 1}),
    ],
)
def test_the_steps_of_a_students_loop_are_told(loaded: Harness, function: str, seen: dict[str, int]) -> None:
    assert loaded.function(function)["found"]
    handle = loaded.model("Drops")
    loaded.function(function)
    given = {"targets": "y", "steps": 3, "epochs": 2, "lr": 0.01}
    told = loaded.result("moves", handle=handle, inputs="small", entry="f", seed=0, **given)
    assert told["loop"] == seen


def test_padding_explains_lengths_and_masks(loaded: Harness) -> None:
    handle = loaded.model("Padded")
    options = {"handle": handle, "inputs": "ids", "train": False, "batch_size": None, "repeat": 1, "seed": 0}
    outputs = loaded.result("forward", pad=0, **options)["outputs"][0]
    np.testing.assert_array_equal(outputs, [[3, 3, 1, 0], [3, 2, 2, 0], [1, 0, 4, 0]])
    assert loaded.error("forward", **options)["type"] == "TypeError"
    told = ask(loaded, "behave", "Padded", "ids", repeat=2, pad=0)
    np.testing.assert_array_equal(told["eval"][0], outputs)
