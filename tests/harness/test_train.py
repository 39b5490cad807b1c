"""Training: the grader's loop, and epochs noticed from outside students' own functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.harness.client import Harness, WarmServer

MODULE = '''
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, random_split

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(4, 3)
    def forward(self, x):
        return self.fc(self.drop(self.norm(x)))

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

def step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()

def with_dataset(model, train_set, val_set, epochs=10, batch_size=16, lr=0.1):
    """The usual: own loaders, a validation pass after every epoch, a history."""
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True, num_workers=2, pin_memory=True)
    val_loader = DataLoader(val_set, batch_size=batch_size)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = {'train_loss': [], 'val_acc': []}
    for epoch in range(epochs):
        model.train()
        total = sum(step(model, optimizer, x.to(device), y.to(device)) for x, y in train_loader)
        model.eval()
        with torch.no_grad():
            good = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
        history['train_loss'].append(total)
        history['val_acc'].append(good / len(val_set))
    return history

def with_loader(net, trainloader, n_epochs, criterion, optimizer, device):
    losses = []
    for epoch in range(n_epochs):
        for i, (images, labels) in enumerate(trainloader):
            losses.append(step(net, optimizer, images, labels))
    return net, losses

def with_tensors(model, X_train, y_train, num_epochs, learning_rate):
    opt = torch.optim.SGD(model.parameters(), lr=learning_rate)
    return [step(model, opt, X_train, y_train) for _ in range(num_epochs)]

def with_tensors_in_batches(model, x_train, y_train, epochs, bs):
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for rows in torch.randperm(len(x_train)).split(bs):
            step(model, opt, x_train[rows], y_train[rows])
    return model

def keeps_the_best(model, train_loader, val_loader, epochs, optimizer):
    """Ends with the weights of the first epoch."""
    for epoch in range(epochs):
        for x, y in train_loader:
            step(model, optimizer, x, y)
        if epoch == 0:
            best = copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    return model

def one_epoch(dataloader, model, loss_fn, optimizer):
    model.train()
    total = 0
    for batch, (X, y) in enumerate(dataloader):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        total += loss.item()
    return total / len(dataloader)

def mnist_example(model, device, train_loader, optimizer, epoch, log_interval=10):
    for batch_idx, (data, target) in enumerate(train_loader):
        step(model, optimizer, data, target)
    print('epoch', epoch)

def own_number_of_epochs(model, train_loader, optimizer):
    for epoch in range(2):
        for x, y in train_loader:
            step(model, optimizer, x, y)

def with_training_accuracy(model, train_loader, epochs, optimizer):
    """Measures on the training set after every epoch, without no_grad."""
    peek = next(iter(train_loader))
    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            step(model, optimizer, x, y)
        model.eval()
        for x, y in train_loader:
            model(x).argmax(1)

def splits_itself(model, dataset, epochs, batch_size):
    train, val = random_split(dataset, [36, 12])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(epochs):
        for x, y in DataLoader(train, batch_size, shuffle=True, drop_last=True):
            step(model, optimizer, x, y)
        model.eval()
        for x, y in DataLoader(val, batch_size):
            model(x)
        model.train()

def by_hand(model, train_set, epochs, batch_size=16):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(epochs):
        order = torch.randperm(len(train_set))
        for start in range(0, len(train_set), batch_size):
            items = [train_set[int(i)] for i in order[start:start + batch_size]]
            step(model, optimizer, torch.stack([x for x, _ in items]), torch.stack([y for _, y in items]))

class Wrapped(torch.utils.data.Dataset):
    def __init__(self, base): self.base = base
    def __len__(self): return len(self.base)
    def __getitem__(self, i):
        x, y = self.base[i]
        return x + 0.01 * torch.randn_like(x), y

def wraps_the_set(model, train_set, epochs, batch_size):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    plain = DataLoader(Wrapped(train_set), batch_size, shuffle=True)
    for epoch in range(epochs):
        for x, y in plain:
            step(model, optimizer, x, y)

def draws_with_replacement(model, train_set, epochs, batch_size):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    sampler = torch.utils.data.WeightedRandomSampler([1.0] * len(train_set), len(train_set))
    loader = DataLoader(train_set, batch_size, sampler=sampler)
    for epoch in range(epochs):
        for x, y in loader:
            step(model, optimizer, x, y)

def never_moves(model, train_loader, epochs, lr):
    other = Net()
    optimizer = torch.optim.SGD(other.parameters(), lr=lr)
    for epoch in range(epochs):
        for x, y in train_loader:
            step(model, optimizer, x, y)

def no_step(model, train_loader, epochs):
    for epoch in range(epochs):
        for x, y in train_loader:
            F.cross_entropy(model(x), y).backward()

def no_zero_grad(model, train_loader, epochs, optimizer):
    for epoch in range(epochs):
        for x, y in train_loader:
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

def too_long(model, train_loader, epochs, optimizer):
    for epoch in range(epochs + 3):
        for x, y in train_loader:
            step(model, optimizer, x, y)

def too_short(model, train_loader, epochs, optimizer):
    for x, y in train_loader:
        step(model, optimizer, x, y)

def returns_another(model, train_loader, epochs):
    mine = copy.deepcopy(model)
    with torch.no_grad():
        mine.fc.weight.zero_(); mine.fc.bias.copy_(torch.tensor([1., 2., 3.]))
    return mine

def makes_its_own(train_loader, epochs):
    return Net(), {'loss': [1.0]}

def neither(train_loader, epochs):
    pass

def strange(model, train_loader, gizmo):
    pass

def breaks_off(model, train_loader, epochs, optimizer):
    for epoch in range(epochs):
        if epoch == 2:
            raise ValueError('enough')
        for x, y in train_loader:
            step(model, optimizer, x, y)

def odd_history(model, train_loader, epochs):
    return {'model': object()}
'''
EPOCHS = 4


@pytest.fixture(scope="module")
def school(warm_server: WarmServer) -> Iterator[Harness]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 48)
    inputs = rng.standard_normal((48, 4)).astype(np.float32)
    inputs[np.arange(48), labels] += 3
    with closing(Harness(warm_server)) as harness:
        harness.load(MODULE)
        harness.put(x=inputs, y=labels, vx=inputs[:12], vy=labels[:12], probe=inputs[:5])
        yield harness


def train(school: Harness, function: str | None, **options: Any) -> dict[str, Any]:
    handle = school.model("Net", seed=3)
    entry = None
    if function:
        assert school.function(function)["found"]
        entry = "f"
    given = {
        "inputs": "x",
        "targets": "y",
        "validation_inputs": "vx",
        "validation_targets": "vy",
        "evaluate": {"train": "x", "probe": "probe"},
        "epochs": EPOCHS,
        "batch_size": 16,
        "lr": 0.05,
        "arguments": {},
        "seed": 7,
        **options,
    }
    return school.result("train", handle=handle, entry=entry, **given) | {"handle": handle}


def numbers(school: Harness) -> list[int]:
    return [event["epoch"] for event in school.events]


def outputs(school: Harness) -> list[np.ndarray[Any, Any]]:
    return [event["outputs"]["train"] for event in school.events]


def loss(logits: np.ndarray[Any, Any]) -> float:
    labels = np.random.default_rng(0).integers(0, 3, 48)
    shifted = logits - logits.max(1, keepdims=True)
    return float(-(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))[np.arange(48), labels].mean())


def test_the_graders_loop_reports_every_epoch_and_learns(school: Harness) -> None:
    result = train(school, None)
    assert result["epochs"] == EPOCHS
    assert result["history"] is None
    assert numbers(school) == [0, 1, 2, 3, 4]
    assert [event["event"] for event in school.events] == ["epoch"] * 5
    assert all(event["outputs"]["probe"].shape == (5, 3) for event in school.events)
    losses = [loss(o) for o in outputs(school)]
    assert losses[-1] < 0.6 * losses[0]
    assert all(event["seconds"] > 0 for event in school.events[1:])


def test_the_graders_loop_repeats_with_its_seed_and_only_with_it(school: Harness) -> None:
    runs = []
    for seed in (7, 7, 8):
        train(school, None, seed=seed)
        runs.append(outputs(school)[-1])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize(
    "function",
    [
        "with_dataset",
        "with_loader",
        "one_epoch",
        "mnist_example",
        "with_training_accuracy",
        "splits_itself",
        "by_hand",
        "wraps_the_set",
        "draws_with_replacement",
        "no_zero_grad",
    ],
)
def test_epochs_of_students_functions_are_noticed(school: Harness, function: str) -> None:
    result = train(school, function)
    assert numbers(school) == [0, 1, 2, 3, 4]
    assert result["epochs"] == EPOCHS
    found = outputs(school)
    assert all(not np.array_equal(a, b) for a, b in pairwise(found))
    after = school.result("forward", handle=result["handle"], inputs="x", train=False, seed=0)["outputs"][0]
    np.testing.assert_allclose(found[-1], after, rtol=1e-5)
    if function != "no_zero_grad":
        assert loss(found[-1]) < loss(found[0])


def test_watching_does_not_change_the_training(school: Harness) -> None:
    watched = train(school, "with_dataset")["history"]
    unwatched = train(school, "with_dataset", evaluate={})["history"]
    assert watched == unwatched
    assert len(watched["train_loss"]) == EPOCHS


def test_events_equal_what_the_student_could_have_measured(school: Harness) -> None:
    """The validation accuracy of the student's own history is that of the events' outputs."""
    history = train(school, "with_dataset", evaluate={"val": "vx"})["history"]
    labels = np.random.default_rng(0).integers(0, 3, 48)[:12]
    measured = [(event["outputs"]["val"].argmax(1) == labels).mean() for event in school.events[1:]]
    assert history["val_acc"] == pytest.approx(measured)


def test_per_epoch_functions_are_called_once_an_epoch_and_their_answers_listed(school: Harness) -> None:
    history = train(school, "one_epoch")["history"]
    assert len(history) == EPOCHS
    assert history[-1] < history[0]


def test_a_function_with_its_own_number_of_epochs_is_called_once(school: Harness) -> None:
    assert train(school, "own_number_of_epochs")["epochs"] == 2
    assert numbers(school) == [0, 1, 2]


def test_tensors_show_only_the_beginning_and_the_end(school: Harness) -> None:
    result = train(school, "with_tensors")
    assert numbers(school) == [0, EPOCHS]
    assert len(result["history"]) == EPOCHS


def test_tensors_in_batches_of_a_known_size_show_their_epochs(school: Harness) -> None:
    result = train(school, "with_tensors_in_batches")
    assert numbers(school) == [0, 1, 2, 3, 4]
    found = outputs(school)
    assert all(not np.array_equal(a, b) for a, b in pairwise(found))
    after = school.result("forward", handle=result["handle"], inputs="x", train=False, seed=0)["outputs"][0]
    np.testing.assert_allclose(found[-1], after, rtol=1e-5)
    train(school, "with_tensors_in_batches", batch_size=20)
    assert numbers(school) == [0, 1, 2, 3, 4]


def test_going_back_to_the_best_weights_is_an_epochs_end_too(school: Harness) -> None:
    train(school, "keeps_the_best")
    assert numbers(school) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(outputs(school)[-1], outputs(school)[1])


@pytest.mark.parametrize("function", ["never_moves", "no_step"])
def test_a_model_that_never_moves_still_has_epochs(school: Harness, function: str) -> None:
    train(school, function)
    assert numbers(school) == [0, 1, 2, 3, 4]
    weights = outputs(school)
    assert loss(weights[0]) > 0.5


def test_more_epochs_than_asked_are_left_out_and_fewer_are_told(school: Harness) -> None:
    train(school, "too_long")
    assert numbers(school) == [0, 1, 2, 3, 4]
    assert train(school, "too_short")["epochs"] == 1
    assert numbers(school) == [0, 1]


def test_gradients_never_cleared_are_left_over(school: Harness) -> None:
    leftovers = {}
    for function in ("no_zero_grad", "with_loader", "with_dataset"):
        leftover = train(school, function, epochs=10)["leftover_gradient"]
        leftovers[function] = leftover["left"] / max(leftover["before"], leftover["one_batch"])
    assert leftovers["no_zero_grad"] > 5
    assert leftovers["with_loader"] < 4
    assert leftovers["with_dataset"] < 4
    assert train(school, "with_loader", epochs=1, leftover=False)["leftover_gradient"] is None


def test_a_returned_model_is_the_one_evaluated_last(school: Harness) -> None:
    train(school, "returns_another")
    np.testing.assert_allclose(outputs(school)[-1], np.tile([1.0, 2.0, 3.0], (48, 1)))
    result = train(school, "makes_its_own")
    assert numbers(school) == [0, EPOCHS]
    assert result["history"] == {"loss": [1.0]}


def test_a_history_that_cannot_travel_is_left_out(school: Harness) -> None:
    assert train(school, "odd_history")["history"] is None


@pytest.mark.parametrize(
    ("function", "text"),
    [("neither", "neither takes a model nor returns one"), ("strange", "`gizmo`"), ("breaks_off", "enough")],
)
def test_training_that_cannot_work_is_the_students_error(school: Harness, function: str, text: str) -> None:
    handle = school.model("Net")
    school.function(function)
    error = school.error("train", handle=handle, entry="f", inputs="x", targets="y", epochs=4, batch_size=16, seed=0)
    assert error["kind"] == "exception"
    assert text in error["message"]


def test_what_was_measured_before_an_exception_has_been_sent(school: Harness) -> None:
    handle = school.model("Net")
    school.function("breaks_off")
    options = {"inputs": "x", "targets": "y", "evaluate": {"train": "x"}, "epochs": 4, "batch_size": 16, "lr": 0.1}
    error = school.error("train", handle=handle, entry="f", seed=0, **options)
    assert error["type"] == "ValueError"
    assert numbers(school) == [0, 1]


def test_the_request_may_say_what_a_parameter_is(school: Harness) -> None:
    train(school, "strange", arguments={"gizmo": 3})
    assert numbers(school)[0] == 0


def test_one_row_left_over_does_not_break_batch_normalisation(school: Harness) -> None:
    train(school, None, batch_size=47)
    train(school, "with_loader", batch_size=47)
    assert numbers(school) == [0, 1, 2, 3, 4]


def test_lazy_layers_can_be_probed_at_once(harness: Harness) -> None:
    source = "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    source += "        self.net = nn.Sequential(nn.LazyLinear(5), nn.LazyBatchNorm1d(), nn.LazyLinear(3))\n"
    source += "    def forward(self, x): return self.net(x)\n"
    harness.load(source)
    harness.put(x=np.ones((8, 4), np.float32), y=np.arange(8) % 3)
    handle = harness.model("Net")
    shapes = [p["shape"] for p in harness.result("parameters", handle=handle)["parameters"]]
    assert shapes[0] == []
    norms = harness.result("gradient_norms", handle=handle, inputs="x", targets="y", seed=0)
    assert norms["parameters"][0]["shape"] == [5, 4]
    result = harness.result("train", handle=harness.model("Net"), inputs="x", targets="y", epochs=2, batch_size=4)
    assert result["epochs"] == 2
