"""Nests folders deeper than any clean-up dares to go."""

# control: none: nothing could clean up the folders it leaves
import os

depth = 0
try:
    while depth < 100_000:
        os.mkdir("d")
        os.chdir("d")
        depth += 1
except OSError:
    pass
answer = depth >= 4096
