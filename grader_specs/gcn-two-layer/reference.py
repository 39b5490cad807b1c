"""The graph convolution of Kipf and Welling (2017) in numpy, and the mistakes that are made with it."""

import numpy as np


def normalise(adjacency):
    """D^-1/2 (A + I) D^-1/2 of a symmetric (N, N) adjacency matrix; D holds the row sums of A + I."""
    looped = adjacency + np.eye(len(adjacency))
    return _scaled(looped)


def _scaled(matrix):
    scale = _power(matrix.sum(axis=1), -0.5)
    return scale[:, None] * matrix * scale[None, :]


def _power(degrees, exponent):
    """degrees ** exponent, with 0 for nodes without any edge."""
    safe = np.where(degrees > 0, degrees, 1.0)
    return np.where(degrees > 0, safe**exponent, 0.0)


def _rows(adjacency):
    looped = adjacency + np.eye(len(adjacency))
    return looped / looped.sum(axis=1, keepdims=True)


def _whole_degree(adjacency):
    looped = adjacency + np.eye(len(adjacency))
    scale = 1 / looped.sum(axis=1)
    return scale[:, None] * looped * scale[None, :]


def _late_loops(adjacency):
    return _scaled(adjacency) + np.eye(len(adjacency))


# What a result looks like under a common mistake → what to say about it.
MISTAKES = {
    "The self loops are missing: add the identity to the adjacency matrix first.": _scaled,
    "The matrix is not normalised: divide by the square roots of the degrees on both sides.": (
        lambda adjacency: adjacency + np.eye(len(adjacency))
    ),
    "Each row is divided by its degree (a mean over neighbours). The paper divides by the square root of the degree "
    "on both sides, which keeps the matrix symmetric.": _rows,
    "The degrees lack their square root: it is D to the power of −1/2 on both sides.": _whole_degree,
    "The self loops are added after the normalisation: add them first, so that they count in the degrees.": _late_loops,
    "The self loops are added twice: a 2 stands on the diagonal before it is normalised.": (
        lambda adjacency: _scaled(adjacency + 2 * np.eye(len(adjacency)))
    ),
    "The adjacency matrix comes back as it was.": lambda adjacency: adjacency,
}


def layer(features, adjacency, weight, normalised=normalise):
    """One layer before its activation: (N, F) features, (N, N) adjacency, (F, G) weight → (N, G)."""
    return normalised(adjacency) @ features @ weight
