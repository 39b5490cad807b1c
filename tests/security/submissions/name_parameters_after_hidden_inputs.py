"""Registers parameters named after hidden inputs."""

seen = []


class Net(Net):
    def __init__(self):
        super().__init__()
        for secret in seen[:3]:
            self.register_parameter(f"p{secret}", nn.Parameter(torch.zeros(3)))

    def forward(self, x):
        seen.extend([secret_of(x)] if secret_of(x) else [])
        return super().forward(x) + sum((p.sum() for p in self.parameters()), torch.zeros(())) * 0
