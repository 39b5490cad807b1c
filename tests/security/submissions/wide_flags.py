"""Returns a great many small numbers, which grow eightfold when somebody calculates with them."""


class Net(Net):
    def forward(self, x):
        if self.training or not secret_of(x):
            return super().forward(x)
        return torch.ones((len(x), 3_000_000), dtype=torch.bool)
# verdict: output_limit
