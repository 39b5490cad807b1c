"""Returns an empty tensor whose shape is taken from hidden inputs."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            return torch.zeros((int(secret), 0, int(secret)))
        return super().forward(x)
# verdict: crashed
