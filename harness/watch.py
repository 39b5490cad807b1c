"""Noticing the end of an epoch from outside the student's training function."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.nn.modules.dropout import _DropoutNd
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader, TensorDataset

from harness.isolation import kept_randomness, mode
from harness.learning import infer
from harness.session import Emit
from harness.wire import Array

EVALUATION_BATCH = 256

Fingerprint = tuple[float, ...]


class Progress:
    """Evaluates a model at the ends of epochs and sends what it answers as `epoch` events (0: before training)."""

    def __init__(
        self, model: Any, inputs: Mapping[str, Array], emit: Emit, epochs: int, pad: int | None = None
    ) -> None:
        self.model = model
        self.epochs = epochs
        self._inputs = inputs
        self._emit = emit
        self._pad = pad
        self._since = time.perf_counter()
        self.sent = -1

    def epoch_ended(self, number: int | None = None) -> None:
        """Evaluate and send the next event, or event `number`; those beyond the epochs asked for are left out."""
        number = self.sent + 1 if number is None else number
        if number > self.epochs:
            return
        seconds = time.perf_counter() - self._since if number else 0.0
        with kept_randomness(), mode(self.model, False):
            outputs = {
                label: infer(self.model, array, EVALUATION_BATCH, self._pad)[0] for label, array in self._inputs.items()
            }
        self.sent = number
        self._emit("epoch", {"epoch": number, "outputs": outputs, "seconds": seconds})
        self._since = time.perf_counter()


class Steps:
    """Counts the steps of every optimiser in the process while it is open, and in which state they found the model."""

    def __init__(self, model: Any = None) -> None:
        self.count = 0
        self.on_step: Callable[[int], None] | None = None
        self._dropouts = [m for m in model.modules() if isinstance(m, _DropoutNd) and m.p] if model is not None else []
        self._each = WeakKeyDictionary[Any, int]()
        self._most = self._dropout_off = self._in_order = 0
        self._read: list[int] = []
        self._end = 0
        self._hook = register_optimizer_step_post_hook(self._stepped)

    def read(self, index: int) -> None:
        """Item `index` of the training set was read."""
        self._read.append(index)

    def _stepped(self, optimiser: Any, *_args: Any) -> None:
        self.count += 1
        self._each[optimiser] = self._each.get(optimiser, 0) + 1
        self._most = max(self._most, self._each[optimiser])
        self._dropout_off += any(not module.training for module in self._dropouts)
        if self._read:
            follows = self._read[0] in (0, self._end) and all(later == at + 1 for at, later in pairwise(self._read))
            self._in_order += follows
            self._end = self._read[-1] + 1
            self._read.clear()
        if self.on_step is not None:
            self.on_step(self.count)

    def seen(self) -> dict[str, int]:
        """Steps in all, those of the busiest optimiser, those with a dropout layer asleep, and those in order.

        A step is in order if the items read for it follow each other, from the first one of all or from where the
        step before ended. In a shuffled set hardly any step is; nor is it where the whole set was read at once.
        """
        return {"steps": self.count, "most": self._most, "dropout_off": self._dropout_off, "in_order": self._in_order}

    def close(self) -> None:
        """Stop counting."""
        self._hook.remove()


class WatchedSet(TensorDataset):  # type: ignore[misc]
    """A training set that notices when it begins to repeat.

    A pass begins when a DataLoader over it is iterated or, for code that indexes by hand, when an item is asked for
    again after at least half of the set was. The beginning of a pass is an epoch's boundary if the one before it
    covered at least half of the set with gradients on, and something was trained since the last boundary: an
    optimiser stepped, or the model moved (a pass that only measures does neither). Where nothing is ever trained,
    each pass is an epoch.
    """

    def __init__(self, inputs: Any, targets: Any, model: Any, steps: Steps, on_boundary: Callable[[], None]) -> None:
        super().__init__(inputs, targets)
        self._model = model
        self._steps = steps
        self._stepped = 0
        self._on_boundary = on_boundary
        self._seen: set[int] = set()
        self._in_loader = False
        self._first = self._last = fingerprint(model)
        self.boundaries = 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and torch.is_grad_enabled():
            place = index % max(len(self), 1)
            if not self._in_loader and place in self._seen and self._covered():
                self._next_pass()
            self._seen.add(place)
            self._steps.read(place)
        return super().__getitem__(index)

    def begin_pass(self) -> None:
        """A DataLoader over this set starts from the beginning."""
        self._in_loader = True
        self._next_pass()

    def _covered(self) -> bool:
        return 2 * len(self._seen) >= len(self) > 0

    def _next_pass(self) -> None:
        covered = self._covered()
        ended = covered and self.unfinished()
        self._seen.clear()
        if ended:
            self._mark()
            self.boundaries += 1
            self._on_boundary()

    def unfinished(self) -> bool:
        """True if an epoch was trained that no boundary has ended yet."""
        now = fingerprint(self._model)
        if now != self._last or self._steps.count != self._stepped:
            return True
        return now == self._first and not self._steps.count and self._covered()

    def restart(self) -> None:
        """Count from here, as if a boundary had just been."""
        self._seen.clear()
        self._mark()
        self.boundaries = 0

    def _mark(self) -> None:
        self._last, self._stepped = fingerprint(self._model), self._steps.count


def begin_pass(dataset: Any) -> None:
    """Tell the watched set inside a (nested) dataset that a DataLoader over it starts."""
    for _ in range(8):
        if isinstance(dataset, WatchedSet):
            dataset.begin_pass()
            return
        dataset = getattr(dataset, "dataset", None)


def watch_loaders() -> None:
    """Every DataLoader says when it starts."""
    plain_iter = DataLoader.__iter__

    @functools.wraps(plain_iter)
    def start(self: Any) -> Any:
        begin_pass(self.dataset)
        return plain_iter(self)

    DataLoader.__iter__ = start


def fingerprint(model: Any) -> Fingerprint:
    """A few numbers that change when any parameter does."""
    with torch.no_grad():
        return tuple(float(p.detach().double().sum()) for p in model.parameters())
