"""Tuning the best network: fill in what is marked TODO. The handout says what is asked for."""

import torch
from torch import nn


class CNNTuned(nn.Module):
    """Images (N, 3, 32, 32) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        # TODO 1: architecture 4 with dropout after both sigmoids; Xavier weights and zero biases in every layer.

    def forward(self, x):
        raise NotImplementedError("TODO 1: write CNNTuned.forward")


def make_scheduler(name, optimizer, total_steps, warmup_steps=0):
    """The scheduler "linear", "cosine", "inverse_sqrt" or "warmup"."""
    raise NotImplementedError("TODO 2: write make_scheduler")


def grid():
    """The six cells (batch_size, lr)."""
    raise NotImplementedError("TODO 3: write grid")


def best_cell(results):
    """(batch_size, lr) of the best row of a grid search."""
    raise NotImplementedError("TODO 4: write best_cell")


# TODO 5: your grid search, a row of numbers for each of the six cells. Code outside of functions is not run again.
results = []


if __name__ == "__main__":
    # A quick try on noise. The grader does not run this part.
    model = CNNTuned()
    print(model(torch.randn(2, 3, 32, 32)).shape)
