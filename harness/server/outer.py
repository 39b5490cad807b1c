"""The first program of the outer sandbox: writes its files, closes its root folder, becomes the fork server."""

from __future__ import annotations

import json
import os
import socket
import sys

from . import lockdown as lock


def main() -> None:
    """The one argument is the control socket's descriptor, whose first packet says what to do."""
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as control:
        packet = control.recv(1 << 16)
    if packet:
        config = json.loads(packet)
        lock.write_and_close_root(config["files"])
        command = [*config["command"], sys.argv[1]]
        os.execve(command[0], command, config["environment"])
