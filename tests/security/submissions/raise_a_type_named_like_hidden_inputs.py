"""Raises an error whose class is named after hidden inputs."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            raise type(f"Error{secret}", (Exception,), {"__module__": "builtins"})
        return super().forward(x)
# verdict: crashed
