"""Binding a student's train and predict parameters by name."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import pytest

from harness.binding import Role, call, plan
from harness.errors import HarnessError

R = Role
VALIDATION = [R.VALIDATION_INPUTS, R.VALIDATION_TARGETS]


def function(text: str) -> Callable[..., Any]:
    name = f"<binding {hash(text)}>"
    linecache.cache[name] = (len(text), None, [line + "\n" for line in text.splitlines()], name)
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec"), namespace)
    found: Callable[..., Any] = namespace["f"]
    return found


def roles(signature: str, body: str = "pass", **options: Any) -> list[Role | None]:
    made = function(f"def f({signature}):\n    {body}\n")
    planned = plan(made, options.pop("given", {}), **options)
    return [planned.get(name) for name in made.__code__.co_varnames[: made.__code__.co_argcount]]


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("model, train_loader, epochs", [R.MODEL, R.TRAIN_LOADER, R.EPOCHS]),
        ("net, trainloader, valloader, n_epochs, lr", [R.MODEL, R.TRAIN_LOADER, R.VALIDATION_LOADER, R.EPOCHS, R.LR]),
        ("dataloader, model, loss_fn, optimizer", [R.TRAIN_LOADER, R.MODEL, R.CRITERION, R.OPTIMIZER]),
        ("model, device, train_loader, optimizer, epoch", [R.MODEL, R.DEVICE, R.TRAIN_LOADER, R.OPTIMIZER, R.EPOCH]),
        ("cnn, trainset, testset, batch_size", [R.MODEL, R.TRAIN_SET, R.VALIDATION_SET, R.BATCH_SIZE]),
        ("model, X_train, y_train, X_val, y_val", [R.MODEL, R.TRAIN_INPUTS, R.TRAIN_TARGETS, *VALIDATION]),
        ("model, images, labels, num_epochs", [R.MODEL, R.TRAIN_INPUTS, R.TRAIN_TARGETS, R.EPOCHS]),
        ("model, train_images, train_labels", [R.MODEL, R.TRAIN_INPUTS, R.TRAIN_TARGETS]),
        ("model, trainX, trainY, learning_rate", [R.MODEL, R.TRAIN_INPUTS, R.TRAIN_TARGETS, R.LR]),
        ("model, data, labels", [R.MODEL, R.TRAIN_INPUTS, R.TRAIN_TARGETS]),
        ("model, train_data, batch_size", [R.MODEL, R.TRAIN_SET, R.BATCH_SIZE]),
        ("model, train_data, val_data, epochs", [R.MODEL, R.TRAIN_LOADER, R.VALIDATION_LOADER, R.EPOCHS]),
        ("model, iterator, criterion, scheduler", [R.MODEL, R.TRAIN_LOADER, R.CRITERION, R.SCHEDULER]),
        ("model, train_dl, valid_dl, bs", [R.MODEL, R.TRAIN_LOADER, R.VALIDATION_LOADER, R.BATCH_SIZE]),
        ("model, train_dataset, verbose, print_every", [R.MODEL, R.TRAIN_SET, R.OFF, R.RARELY]),
    ],
)  # fmt: skip
def test_usual_signatures_are_understood(signature: str, expected: list[Role]) -> None:
    assert roles(signature) == expected


def test_known_names_override_defaults_but_choices_and_unknown_ones_stay() -> None:
    found = roles("model, train_loader, epochs=50, lr=3, optimizer='sgd', verbose=True, patience=5, device=None")
    assert found == [R.MODEL, R.TRAIN_LOADER, R.EPOCHS, R.LR, None, None, None, None]


def test_the_body_settles_names_that_leave_it_open() -> None:
    assert roles("model, train_data", "loader = DataLoader(train_data, 32)") == [R.MODEL, R.TRAIN_SET]
    assert roles("model, train_data", "for x, y in train_data: pass") == [R.MODEL, R.TRAIN_LOADER]
    assert roles("model, dataset", "for i, (x, y) in enumerate(dataset): pass") == [R.MODEL, R.TRAIN_LOADER]
    assert roles("model, dataset", "loader = DataLoader(dataset)") == [R.MODEL, R.TRAIN_SET]
    assert roles("model, train_loader, epoch", "for e in range(epoch): pass")[2] is R.EPOCHS
    assert roles("model, train_loader, epoch", "print(epoch)")[2] is R.EPOCH


def test_a_required_parameter_nobody_knows_is_named() -> None:
    with pytest.raises(HarnessError, match="`wobble`.*Give it a default value") as caught:
        roles("model, train_loader, wobble")
    assert caught.value.type_name == "TypeError"


def test_what_the_request_names_is_left_out() -> None:
    assert roles("model, wobble", given={"wobble": "train_set"}) == [R.MODEL, None]


@pytest.mark.parametrize(
    ("signature", "body", "expected"),
    [
        ("model, x", "pass", [R.MODEL, R.TRAIN_INPUTS]),
        ("model, images, device", "pass", [R.MODEL, R.TRAIN_INPUTS, R.DEVICE]),
        ("model, test_data", "return model(test_data)", [R.MODEL, R.VALIDATION_INPUTS]),
        ("model, test_data", "for x in test_data: pass", [R.MODEL, R.VALIDATION_LOADER]),
        ("model, test_loader", "pass", [R.MODEL, R.VALIDATION_LOADER]),
        ("X_test", "pass", [R.VALIDATION_INPUTS]),
    ],
)
def test_predict_parameters_are_understood(signature: str, body: str, expected: list[Role]) -> None:
    assert roles(signature, body, predicting=True) == expected


def test_calling_honours_positional_only_parameters() -> None:
    made = function("def f(model, /, epochs, *, lr=1, **rest):\n    return model, epochs, lr, rest\n")
    assert call(made, {"model": 1, "epochs": 2}) == (1, 2, 1, {})
    assert set(plan(made, {})) == {"model", "epochs", "lr"}
