"""Makes layers as wide as hidden inputs say."""

seen = []


class Net(Net):
    def __init__(self):
        super().__init__()
        if seen:
            self.extra = nn.Linear(1, int(seen[0]))

    def forward(self, x):
        seen.extend([secret_of(x)] if secret_of(x) else [])
        return super().forward(x)
