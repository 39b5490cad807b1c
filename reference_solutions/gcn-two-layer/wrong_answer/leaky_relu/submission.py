"""A leaky ReLU between the layers."""

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
        self.register_buffer("adjacency", adjacency)
        self.first = nn.Parameter(torch.empty(in_features, hidden))
        self.second = nn.Parameter(torch.empty(hidden, classes))
        nn.init.xavier_uniform_(self.first)
        nn.init.xavier_uniform_(self.second)

    def forward(self, features):
        hidden = nn.functional.leaky_relu(graph_convolution(features, self.adjacency, self.first), 0.2)
        return graph_convolution(hidden, self.adjacency, self.second)
