"""Raises every kind of error that the harness has, with hidden inputs in it."""

calls = []


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            from harness.errors import HarnessError, Kind

            calls.append(1)
            raise HarnessError(list(Kind)[len(calls) % len(Kind)], secret)
        return super().forward(x)
# verdict: crashed, failed, out_of_memory
