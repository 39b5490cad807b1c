"""The first program of the outer sandbox: writes its files, closes its root folder, becomes the fork server."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping

from . import lockdown as lock


def main() -> None:
    """The one argument is the control socket's descriptor, whose first packet says what to do."""
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as control:
        packet = control.recv(1 << 16)
    if packet:
        config = json.loads(packet)
        write_files(config["files"])
        command = [*config["command"], sys.argv[1]]
        os.execve(command[0], command, config["environment"])


def write_files(files: Mapping[str, str]) -> None:
    """Write files of the outer sandbox, then make all of its root folder read-only."""
    for path, text in files.items():
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    lock.mount(None, "/", None, lock.MS_REMOUNT | lock.MS_BIND | lock.MS_RDONLY | lock.MS_NOSUID | lock.MS_NODEV)
