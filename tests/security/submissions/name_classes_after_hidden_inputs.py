"""Returns an object whose class is named after hidden inputs."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            return type(f"Output{secret}", (), {"__repr__": lambda self: secret})()
        return super().forward(x)
# verdict: failed
