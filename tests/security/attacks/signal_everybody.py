"""Sends a deadly signal to every process it may reach."""

# control: none: it would kill the tests
import os
import signal

if os.fork() == 0:
    os.kill(-1, signal.SIGKILL)
os.kill(given["victim"], signal.SIGKILL)
answer = 1
