"""Contract example of the check type response."""

import numpy as np

PARAMS = {"inside": [-10, 10], "nonlinear": 0.01, "growth": [0.1, 20]}
GOOD = {"forward": {"outputs": [np.tanh(np.random.default_rng(0).normal(size=(6, 3)))]}}
