"""What a student's train or predict function is given, by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from harness.binding import Role
from harness.convert import device, to_tensor
from harness.learning import target_tensor
from harness.wire import Array

RARE = 1_000_000_000
_WATCHED = frozenset({Role.TRAIN_SET, Role.TRAIN_LOADER})


@dataclass(frozen=True, slots=True)
class Task:
    """A training task: data (N, …), targets (N, …), and how to train."""

    inputs: Array
    targets: Array
    validation_inputs: Array
    validation_targets: Array
    epochs: int
    batch_size: int
    lr: float
    seed: int
    pad: int | None = None

    def batches(self, rows: Any) -> list[Any]:
        """Row numbers in batches; a last batch of one row is left out, since batch normalisation can't train on it."""
        parts = list(rows.split(self.batch_size))
        return parts[:-1] if len(parts) > 1 and len(parts[-1]) == 1 else parts


class Supplies:
    """Makes the objects for a training function's parameters. Optimiser and loaders are made once and kept."""

    def __init__(self, task: Task, model: Any, train_set: Any) -> None:
        self._task = task
        self._model = model
        self._train_set = train_set
        self._made: dict[Role, Any] = {}
        self._epoch = 1
        self._makers = self._all_makers()

    @staticmethod
    def shows_epochs(roles: Mapping[str, Role]) -> bool:
        """True if the function gets data whose use can be watched."""
        return bool(_WATCHED & set(roles.values()))

    def values(self, roles: Mapping[str, Role], given: Mapping[str, Any], epoch: int) -> dict[str, Any]:
        """The value of every parameter. `given` holds roles by name, or literal values."""
        self._epoch = epoch
        values = {name: self._value(role) for name, role in roles.items()}
        for name, keyword in given.items():
            known = isinstance(keyword, str) and keyword in {role.value for role in Role}
            values[name] = self._value(Role(keyword)) if known else keyword
        return values

    def _value(self, role: Role) -> Any:
        if role is Role.EPOCH:
            return self._epoch
        if role not in self._made:
            self._made[role] = self._makers[role]()
        return self._made[role]

    def _all_makers(self) -> dict[Role, Callable[[], Any]]:
        task, held_out = self._task, self._held_out
        return {
            Role.MODEL: lambda: self._model,
            Role.TRAIN_SET: lambda: self._train_set,
            Role.TRAIN_LOADER: lambda: self._loader(self._train_set, True),
            Role.TRAIN_INPUTS: lambda: to_tensor(task.inputs),
            Role.TRAIN_TARGETS: lambda: target_tensor(task.targets),
            Role.VALIDATION_SET: held_out,
            Role.VALIDATION_LOADER: lambda: self._loader(held_out(), False),
            Role.VALIDATION_INPUTS: lambda: to_tensor(task.validation_inputs),
            Role.VALIDATION_TARGETS: lambda: target_tensor(task.validation_targets),
            Role.EPOCHS: lambda: task.epochs,
            Role.BATCH_SIZE: lambda: task.batch_size,
            Role.LR: lambda: task.lr,
            Role.DEVICE: device,
            Role.OPTIMIZER: lambda: torch.optim.Adam(self._model.parameters(), lr=task.lr),
            Role.CRITERION: lambda: torch.nn.CrossEntropyLoss(),
            Role.SCHEDULER: lambda: None,
            Role.SEED: lambda: task.seed,
            Role.OFF: lambda: False,
            Role.RARELY: lambda: RARE,
            Role.ZERO: lambda: 0.0,
        }

    def _held_out(self) -> Any:
        inputs, targets = self._task.validation_inputs, self._task.validation_targets
        return TensorDataset(to_tensor(inputs), target_tensor(targets))

    def _loader(self, dataset: Any, shuffle: bool) -> Any:
        order = torch.Generator().manual_seed(self._task.seed)
        size = self._task.batch_size
        single = shuffle and len(dataset) > size and len(dataset) % size == 1
        return DataLoader(dataset, batch_size=size, shuffle=shuffle, generator=order, drop_last=single)
