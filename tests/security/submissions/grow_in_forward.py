"""Takes all the memory it can during a hidden test."""


class Net(Net):
    def forward(self, x):
        if secret_of(x):
            kept = []
            while True:
                kept.append(bytearray(200_000_000))
        return super().forward(x)
# verdict: out_of_memory, crashed
