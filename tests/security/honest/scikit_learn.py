"""Fits a classical model for comparison."""

import numpy as np
from sklearn.linear_model import LogisticRegression

x = np.r_[np.zeros((20, 2)), np.ones((20, 2))]
answer = bool(LogisticRegression().fit(x, [0] * 20 + [1] * 20).score(x, [0] * 20 + [1] * 20) == 1)
