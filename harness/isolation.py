"""Leaving things as they were found: random generators, train and eval modes, gradients, threads."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn.parameter import UninitializedTensorMixin


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch, a card only where there is one.

    `torch.manual_seed` keeps a formatted stack trace for a card that was never used: half a millisecond each time.
    """
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)


def settle() -> None:
    """Bring process-wide switches that student code may have moved back to what a probe expects."""
    torch.set_grad_enabled(True)
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1") or 1)))
    torch.use_deterministic_algorithms(True, warn_only=True)
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation")
    torch.backends.cudnn.benchmark = False  # else timing decides which algorithm rounds
    torch.utils.deterministic.fill_uninitialized_memory = False


@contextmanager
def kept_randomness() -> Iterator[None]:
    """Whatever is drawn inside, the generators continue outside as if nothing had been."""
    python, array, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cards = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)
        torch.set_rng_state(cpu)
        if cards:
            torch.cuda.set_rng_state_all(cards)


@contextmanager
def mode(model: Any, train: bool) -> Iterator[None]:
    """Put the model into train or eval mode, and every module back into the mode it had."""
    before = [(module, module.training) for module in model.modules()]
    model.train(train)
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def kept_gradients_and_buffers(model: Any) -> Iterator[None]:
    """Gradients and buffers (running statistics) are as before afterwards; gradients are cleared inside."""
    gradients = [(p, p.grad) for p in model.parameters()]
    buffers = [(b, b.detach().clone()) for b in model.buffers() if not isinstance(b, UninitializedTensorMixin)]
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in gradients:
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, value in buffers:
                if buffer.shape == value.shape:
                    buffer.copy_(value)
