"""Kills or stops the sandbox's own first process."""

# control: none: it would stop the machine's first process
import os
import signal
import time

for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    try:
        os.kill(1, number)
    except OSError:
        pass
time.sleep(0.1)
answer = "State:\tT" in open("/proc/1/status").read()
