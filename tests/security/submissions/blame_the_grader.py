"""Raises the harness's own error for mistakes of the judge, with hidden inputs in it."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            from harness.errors import BadRequest

            raise BadRequest(secret)
        return super().forward(x)
# verdict: crashed
