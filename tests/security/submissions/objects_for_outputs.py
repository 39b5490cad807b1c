"""Returns arrays of Python objects."""

import numpy as np


class Net(Net):
    def forward(self, x):
        return np.array([[object()] * 3] * len(x), dtype=object)
