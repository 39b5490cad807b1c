"""The first process of the weak sandbox (autograder/sandbox/plain.py): starts the harness and outlives all it starts.

Every orphan becomes its child, so that it can end them all: when the harness ends, when the judge asks (SIGTERM), or
when the judge dies. It runs as the worker's user, with no student byte in it, and locks nothing in.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from . import lockdown as lock

_CHANNEL = 3
_NEWS = (signal.SIGTERM, signal.SIGCHLD)
_SUBREAPER, _PDEATHSIG, _NO_NEW_PRIVS = 36, 1, 38


def main() -> NoReturn:
    """Start the harness, wait for its end and pass it on as the exit status, in shell manner.

    The one argument is a JSON object (see plain.py).
    """
    config = json.loads(sys.argv[1])
    lock.check(lock.libc.prctl(_SUBREAPER, 1, 0, 0, 0), "subreaper")
    signal.pthread_sigmask(signal.SIG_BLOCK, _NEWS)
    harness = os.fork()
    if harness == 0:
        _become(config)
    lock.check(lock.libc.prctl(_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "death signal")
    lock.close_all_but(())  # a channel held open here would hide that the harness has closed it
    asked = os.getppid() != config["judge"]  # it ended before this process could ask to follow it
    endings: dict[int, int] = {}
    while not asked and harness not in endings:
        asked = signal.sigwait(_NEWS) == signal.SIGTERM
        endings |= _ended(os.WNOHANG)
    endings |= end_everything()
    code = os.waitstatus_to_exitcode(endings[harness])
    os._exit(code if code >= 0 else 128 - code)


def _become(config: Mapping[str, Any]) -> NoReturn:
    """The child's part: give up what it has, limit itself, become the harness."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _NEWS)
        os.umask(0o077)
        os.setsid()
        if config["channel"] != _CHANNEL:
            os.dup2(config["channel"], _CHANNEL)
        os.set_inheritable(_CHANNEL, True)
        lock.close_all_but(range(_CHANNEL + 1))
        if config["user"] is not None:
            os.setgroups([])
            os.setresgid(*[config["user"]] * 3)
            os.setresuid(*[config["user"]] * 3)
        lock.check(lock.libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        lock.die_with_parent()
        lock.set_limits(config["limits"])
        os.chdir(config["work"])
        os.execve(config["command"][0], config["command"], config["environment"])
    except Exception as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(lock.FAILED)


def end_everything() -> dict[int, int]:
    """Kill all children until none is left. Theirs become ours as they end, and follow. How each ended, by number."""
    endings: dict[int, int] = {}
    while children := _children():
        for number in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        endings |= _ended()
    return endings


def _ended(options: int = 0) -> dict[int, int]:
    """How children ended that are not waited for yet: one, or with WNOHANG all there are now."""
    endings: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        number, ending = os.waitpid(-1, options)
        while number:
            endings[number] = ending
            number, ending = os.waitpid(-1, os.WNOHANG)
    return endings


def _children() -> list[int]:
    found, own = [], str(os.getpid())
    for name in os.listdir("/proc"):  # noqa: PTH208  without pathlib, whose import takes longer than all of this
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().decode("ascii", "replace").rpartition(") ")[2].split()
                if fields[1] == own:
                    found.append(int(name))
    return found
