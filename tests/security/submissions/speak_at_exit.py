"""Speaks when the process ends: prints, and scribbles on the channel."""

import atexit

seen = []


class Net(Net):
    def forward(self, x):
        seen.append(secret_of(x))
        return super().forward(x)


def last_words():
    os.write(1, f"hidden: {seen}".encode())
    os.write(3, b"AGW1 hidden %a" % seen)


atexit.register(last_words)
