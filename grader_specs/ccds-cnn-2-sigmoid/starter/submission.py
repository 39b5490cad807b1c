"""Architecture 2: sigmoid after the linear layers: fill in what is marked TODO. The handout says what is asked for."""

import torch
from torch import nn


class CNNSigmoid(nn.Module):
    """Images (N, 3, 32, 32) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        # TODO 1: convolutions as in the first task, then linear layers with sigmoids.

    def forward(self, x):
        raise NotImplementedError("TODO 1: write CNNSigmoid.forward")


CAUSE = ""  # TODO 2: one cause, in a few words


if __name__ == "__main__":
    # A quick try on noise. The grader does not run this part.
    model = CNNSigmoid()
    print(model(torch.randn(2, 3, 32, 32)).shape)
