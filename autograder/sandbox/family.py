"""The processes of a session without a namespace: found from outside, by who started whom."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import NamedTuple

from autograder.sandbox.tree import DIRECTORY, Processes

_PAUSE_S = 0.005


class _Process(NamedTuple):
    parent: int
    session: int
    ended: bool  # a zombie
    owner: int


class Family(Processes):
    """The keeper (harness/server/keeper.py), the harness, and all that it started. Owns the session's folder.

    A process belongs if its parents lead to the keeper, which takes in orphans; if it is in the harness's session,
    should somebody have killed the keeper; or if it runs as the session's own user. Whoever kills the keeper and leaves
    that session is not found, where sessions have no user of their own: that is the gap `survivors`.
    """

    def __init__(self, keeper: int, folder: Path, user: int | None) -> None:
        """keeper: its process number. folder: deleted at the end. user: whose processes are all of this session.

        Raises OSError.
        """
        super().__init__(keeper)
        self._folder = folder
        self._user = user
        self._harness = 0
        self._proc = os.open("/proc", DIRECTORY)

    def look_inside(self, mounts: tuple[str, ...]) -> None:
        """Learn which process is the harness: the keeper's one child."""
        children = [number for number, process in self._everyone().items() if process.parent == self.init]
        if len(children) != 1:
            raise OSError("the keeper has no child")
        self._harness = children[0]
        self._mounts = [os.open(path, DIRECTORY) for path in mounts]

    def kill(self) -> None:
        """Kill the harness's process group at once, and have the keeper kill what has left it."""
        if not super().wait_gone(0):
            if self._harness:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._harness, signal.SIGKILL)
            for number in (signal.SIGTERM, signal.SIGCONT):  # it may have been stopped
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self.pidfd, number)

    def wait_gone(self, seconds: float) -> bool:
        """True once no process is left. What a keeper that was killed has left behind is killed here."""
        deadline = time.monotonic() + seconds
        super().wait_gone(seconds)
        while left := self._living():
            for number in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(number, signal.SIGKILL)
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_S)
        return True

    def close(self) -> None:
        """Close all descriptors and delete the folder."""
        super().close()
        for top, folders, _ in os.walk(self._folder):
            for name in folders:
                path = Path(top) / name
                if not path.is_symlink():  # student code may have closed it to its own user
                    with contextlib.suppress(OSError):
                        path.chmod(0o700)
        with contextlib.suppress(RecursionError):
            shutil.rmtree(self._folder, ignore_errors=True)

    def owns(self, number: int) -> bool:
        """Is the process of this number one of them?"""
        return number in self._living()

    def _numbers(self) -> list[str]:
        found = self._living()
        if not found:
            raise ProcessLookupError("every process of the session has ended")
        return [str(number) for number in found]

    def _living(self) -> list[int]:
        everyone = self._everyone()
        children: dict[int, list[int]] = {}
        for number, process in everyone.items():
            children.setdefault(process.parent, []).append(number)
        found = {number for number, process in everyone.items() if self._is_ours(number, process)}
        left = list(found)
        while left:
            new = set(children.get(left.pop(), ())) - found
            found |= new
            left += new
        return [number for number in found if not everyone[number].ended]

    def _is_ours(self, number: int, process: _Process) -> bool:
        if number == self.init:  # unless the keeper ended and its number is another's by now
            return not super().wait_gone(0)
        return (bool(self._harness) and process.session == self._harness) or process.owner == self._user

    def _everyone(self) -> dict[int, _Process]:
        """Every process of this machine that can be seen, by number."""
        found = {}
        for name in os.listdir(self._proc):  # noqa: PTH208  a descriptor
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    state, parent, _, session = self._read(f"{name}/stat").rpartition(") ")[2].split()[:4]
                    owner = -1 if self._user is None else os.stat(name, dir_fd=self._proc).st_uid
                    found[int(name)] = _Process(int(parent), int(session), state in "ZX", owner)
        return found
