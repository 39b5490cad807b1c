"""What every hostile submission starts with: a network that learns nothing, and a way to say that something was got."""

import os
import sys

import torch
from torch import nn


def got(what=""):
    """Say that the attack got something: in words, or once words are not passed on by ending."""
    print("GOT", what, flush=True)
    os._exit(9)


def secret_of(x):
    """The digits of the number that hidden images carry, or nothing for other images."""
    digits = f"{float(x.detach().flatten(1)[0, -1]):.6f}"[2:]
    return digits if digits.startswith("73519") else ""


class Net(nn.Module):
    """Answers at random: worth the points for names, shapes and gradients, none for learning."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(16, 3)

    def forward(self, x):
        return self.line(x.flatten(1))


def train(model, train_set, epochs, lr):
    """Nothing is trained."""
    return {}
