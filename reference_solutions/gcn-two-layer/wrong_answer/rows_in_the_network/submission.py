"""The functions are right; the network takes a mean over neighbours instead."""

import torch
from torch import nn


def normalise(adjacency):
    looped = adjacency + torch.eye(len(adjacency))
    scale = looped.sum(1).pow(-0.5)
    return scale[:, None] * looped * scale[None, :]


def graph_convolution(features, adjacency, weight):
    return normalise(adjacency) @ features @ weight


class GCN(nn.Module):
    def __init__(self, adjacency, in_features, hidden, classes):
        super().__init__()
        looped = adjacency + torch.eye(len(adjacency))
        self.register_buffer("mean", looped / looped.sum(1, keepdim=True))
        self.first = nn.Linear(in_features, hidden, bias=False)
        self.second = nn.Linear(hidden, classes, bias=False)

    def forward(self, features):
        hidden = torch.relu(self.mean @ self.first(features))
        return self.mean @ self.second(hidden)
