"""Recurses in native code until the stack is gone."""


class Net(Net):
    def forward(self, x):
        if secret_of(x):
            sys.setrecursionlimit(10**9)
            thing = []
            for _ in range(10**6):
                thing = [thing]
            repr(thing) == repr(thing)
            return eval("(" * 5000 + ")" * 5000)
        return super().forward(x)
# verdict: crashed
