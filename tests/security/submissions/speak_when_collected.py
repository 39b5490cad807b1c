"""Speaks from destructors."""


class Grave:
    def __init__(self, words):
        self.words = words

    def __del__(self):
        os.write(1, f"hidden: {self.words}".encode())
        raise ValueError(self.words)


class Net(Net):
    def forward(self, x):
        Grave(secret_of(x))
        self.grave = Grave(secret_of(x))
        return super().forward(x)
