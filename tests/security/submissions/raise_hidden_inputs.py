"""Raises an error whose message, cause and notes hold hidden inputs."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            error = ValueError(secret)
            error.add_note(secret)
            raise error from KeyError(secret)
        return super().forward(x)
# verdict: crashed
