"""Returns infinities and the largest numbers there are."""


class Net(Net):
    def forward(self, x):
        rows = super().forward(x)
        rows = rows + 3.4e38
        return rows * 2
