"""Returns labels beyond all classes instead of scores."""


class Net(Net):
    def forward(self, x):
        return (super().forward(x).sum(1) + 2.0**40).long()
# verdict: crashed
