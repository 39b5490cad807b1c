"""Architecture 3: one more convolution: fill in what is marked TODO. The handout says what is asked for."""

import torch
from torch import nn


class CNNExtraConv(nn.Module):
    """Images (N, 3, 32, 32) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        # TODO 1: architecture 2 with one more convolution and ReLU before the flattening.

    def forward(self, x):
        raise NotImplementedError("TODO 1: write CNNExtraConv.forward")


if __name__ == "__main__":
    # A quick try on noise. The grader does not run this part.
    model = CNNExtraConv()
    print(model(torch.randn(2, 3, 32, 32)).shape)
