"""Contract example of the check type attention."""

import numpy as np

from autograder.checks.base import Array, Context


def weights(batch: int = 2, layers: int = 3, heads: int = 4, tokens: int = 5, seed: int = 0) -> Array:
    """Attention whose last token is padding in the second row of the batch."""
    scores = np.random.default_rng(seed).normal(size=(batch, layers, heads, tokens, tokens))
    scores = np.where(MASK[:batch, None, None, None, :tokens], scores, -np.inf)
    exponentials = np.exp(scores)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]) == 1
WEIGHTS = weights()
CONTEXT = Context({"mask": MASK.astype(np.int64), "reference": WEIGHTS})
PARAMS = {"layers": 3, "heads": 4, "mask": "mask", "reference": "reference"}
GOOD = {
    "call": {"value": WEIGHTS},
    "calls": {"answers": [{"value": WEIGHTS}]},
    "forward": {"outputs": [WEIGHTS], "rows": 2},
}
