"""Another right solution, under another accepted name."""

from torch import nn


class Net(nn.Sequential):
    def __init__(self, width=48):
        super().__init__(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 3))
