"""Run by the runtime's Python: imports torch and the harness once, then forks a harness for every request.

Arguments: the folder that holds the package `harness`, the number of the control socket. A request is the work folder
with two descriptors: the harness's channel and its output. (The product's fork server is far stricter; this only saves
tests time.)
"""

import ctypes
import importlib
import os
import signal
import socket
import sys
import tempfile

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """An interrupted test run leaves no process behind that spins for ever. (A fork does not inherit this.)"""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    die_with_parent()
    sys.path.insert(0, sys.argv[1])
    torch = importlib.import_module("torch")
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1).step()
    importlib.import_module("harness.probes")
    importlib.import_module("matplotlib.pyplot")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[2]))
    while True:
        folder, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        if not folder:
            return
        if os.fork() == 0:
            become_harness(os.fsdecode(folder), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def become_harness(folder: str, channel: int, output: int) -> None:
    """What the sandbox would have set up: work folder, output, descriptor 3."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder)
    tempfile.tempdir = os.path.dirname(folder)  # noqa: PTH120
    channel, output = os.dup(channel), os.dup(output)
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(channel, 3)
    os.closerange(4, 256)
    try:
        importlib.import_module("harness.main").main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
