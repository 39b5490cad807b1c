"""Asks for user number 0."""

# control: CAP_SETUID
import os

if os.fork() == 0:
    try:
        os.setuid(0)
        os.setgid(0)
        os._exit(0)
    except OSError:
        os._exit(1)
answer = os.wait()[1] == 0
