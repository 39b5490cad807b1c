"""Which ring does a point lie in? Fill in the TODO; the handout says what is asked for."""

import torch
from torch import nn


class Classifier(nn.Module):
    """Points (N, 2) to logits (N, 3)."""

    def __init__(self):
        super().__init__()
        # TODO: a hidden layer with an activation, and an output layer.

    def forward(self, x):
        raise NotImplementedError("TODO: write Classifier.forward")


if __name__ == "__main__":
    # A quick try. The grader does not run this part.
    print(Classifier()(torch.randn(5, 2)).shape)
