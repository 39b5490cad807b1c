"""Returns a numpy subclass whose bytes and type are made up."""
# verdict: crashed

import numpy as np


class Odd(np.ndarray):
    @property
    def dtype(self):
        return np.dtype(object)

    @property
    def nbytes(self):
        return -1

    def tobytes(self, *_):
        return b"\x00" * 7


class Net(Net):
    def forward(self, x):
        return super().forward(x).detach().numpy().view(Odd)
# verdict: crashed
