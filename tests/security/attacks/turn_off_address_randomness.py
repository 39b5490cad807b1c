"""Turns the randomness of addresses off for the programs it starts, or becomes another kind of Linux."""

# control: anyone
import os

answer = 0
if os.fork() == 0:
    try:
        syscall(135, 0x0008)  # personality PER_LINUX32
        os._exit(0)
    except OSError:
        os._exit(1)
answer = os.wait()[1] == 0
