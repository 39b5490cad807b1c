"""Has attributes of the model and of its outputs raise, recurse and change when they are looked at."""


class Net(Net):
    def __getattr__(self, name):
        if name in ("score", "verdict", "labels"):
            return 10
        return super().__getattr__(name)

    def parameters(self, recurse=True):
        yield from super().parameters(recurse)

    def eval(self):
        return self

    def train(self, mode=True):
        return self

    def state_dict(self, *arguments, **keywords):
        raise RecursionError
