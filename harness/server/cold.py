"""The first program of a cold start: locks itself in, then becomes the harness. No student byte came before.

Started by bubblewrap in fresh namespaces with CAP_SYS_ADMIN over them (autograder/sandbox/launch.py). If one lock fails
it ends with FAILED and says which. Without pathlib, whose import would double the time this takes.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from . import lockdown as lock

_CHANNEL = 3


def main() -> NoReturn:
    """Lock in, then become the harness. The one argument is a JSON object (see launch.py)."""
    try:
        _become(json.loads(sys.argv[1]))
    except Exception as error:
        sys.stderr.write(f"sandbox lock-in failed: {error}\n")
    os._exit(lock.FAILED)


def _become(config: Mapping[str, Any]) -> None:
    os.umask(0o077)
    _size_file_systems(config)
    if config["channel"] != _CHANNEL:
        os.dup2(config["channel"], _CHANNEL)
    os.set_inheritable(_CHANNEL, True)
    lock.close_all_but(range(_CHANNEL + 1))
    os.chdir(config["work"])
    lock.give_up_everything(config["limits"], config["writable"], base64.b64decode(config["filter"]))
    os.execve(config["command"][0], config["command"], config["environment"])


def _size_file_systems(config: Mapping[str, Any]) -> None:
    """One sized file system behind the work and the temporary folder, one for shared memory; all else read-only.

    A size alone would let through as many empty files as the machine has memory for, so inodes are limited as well.
    """
    quiet = lock.MS_NOSUID | lock.MS_NODEV
    box, shared = config["box"], config["shared"]
    size = f"size={config['disk']},nr_inodes={config['inodes']},mode=0755"
    lock.mount(None, box, None, lock.MS_REMOUNT | quiet, size)
    lock.mount(None, shared, None, lock.MS_REMOUNT | quiet, f"size={config['shm']},nr_inodes=1024,mode=0700")
    for path in (config["work"], config["temporary"]):
        os.mkdir(box + path, 0o700)  # noqa: PTH102
        lock.mount(box + path, path, None, lock.MS_BIND)
    lock.unmount(box)
    os.rmdir(box)  # noqa: PTH106
    lock.write_and_close_root(config["files"])
