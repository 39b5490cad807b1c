"""Graphs for this task: public ones for shapes and counter-examples, hidden ones for the points.

Adjacency matrices are float32 (N, N), symmetric, of zeros and ones, without self loops.
"""

import numpy as np

from autograder.specs.dataset import Case, DataSet

from .reference import layer, normalise

NODES, FEATURES = 12, 5


def build(name, _data_dir, seed):
    """The set `standin`, which needs no files; None for any other. The same arguments give the same arrays."""
    if name != "standin":
        return None
    draw = np.random.default_rng(seed)
    line = _line(NODES)
    features = draw.standard_normal((NODES, FEATURES)).astype(np.float32)
    changed = features.copy()
    changed[0] += 1.0
    single = 0 * features  # one node alone, so far from 0 that a bias does not show
    single[0] = 1e4 * draw.standard_normal(FEATURES)
    mixed = [1.0, -1.5, 1.0, 0.5, -0.5, 2.0, -1.0, -2.0, 1.5, -0.5, 1.0, -1.0]  # of each node, times those features
    small = [("two nodes", _line(2)), ("three nodes in a line", _line(3)), ("a node without edges", _isolated(4))]
    graphs = [_random(draw, size) for size in (3, 4, 6, 6, 9, 12)]
    cases = {
        "small_graphs": tuple(_normalised(graph, label) for label, graph in small),
        "graphs": tuple(map(_normalised, graphs)),
        "layers": tuple(_layer(draw, graph) for graph in graphs),
    }
    arrays = {"features": features, "changed": changed, "mirrored": -features, "zero": 0 * features}
    arrays |= {"single": single, "single_mirrored": -single, "mixed": np.outer(mixed, single[0]).astype(np.float32)}
    return DataSet(
        name,
        {**arrays, "line": line, "classes": np.arange(NODES) % 3},
        hidden=frozenset({"graphs", "layers"}),
        cases=cases,
        # distance: of each node of the line from node 0, the changed one
        facts={"distance": list(range(NODES)), "mixed": mixed},
    )


def _normalised(graph, label=""):
    return Case((graph,), expected=normalise(graph), size=len(graph), label=label)


def _layer(draw, graph):
    """A case with as many features in as out: then a transposed weight is not betrayed by its shape."""
    features, weight = draw.standard_normal((len(graph), 4)), draw.standard_normal((4, 4))
    arguments = (features.astype(np.float32), graph, weight.astype(np.float32))
    return Case(arguments, expected=layer(*arguments), size=len(graph))


def _line(size):
    return (np.eye(size, k=1) + np.eye(size, k=-1)).astype(np.float32)


def _isolated(size):
    """A line whose last node has no edge."""
    graph = _line(size)
    graph[-1] = graph[:, -1] = 0
    return graph


def _random(draw, size):
    """Some edges of a complete graph; nodes without any are likely."""
    upper = np.triu(draw.random((size, size)) < 0.4, k=1)
    return (upper | upper.T).astype(np.float32)
