"""Hides the model in a function, under a name nobody asked for."""

from torch import nn


def my_solution():
    return nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))
