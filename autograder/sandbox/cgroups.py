"""A control group for each session, where the kernel lets this process make one: it holds memory and tasks exactly.

The watchdog sees what processes show and looks every few milliseconds. The kernel's own count has no gaps and also has
what no process shows (pipe buffers, page tables). Both hierarchies of the kernel are known: version 2, if its memory
controller is delegated to this user, and version 1, if its folders are writable.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import SandboxUnavailable
from autograder.sandbox.base import Limits

log = logging.getLogger(__name__)

_PREFIX = "autograder"
_JUDGE = f"{_PREFIX}-judge"  # the leaf that this process moves to: version 2 wants no process in a group with children
_SPARE_TASKS = 8  # the limit on processes of the user namespace refuses first; bubblewrap's own count here
_NEEDED = ("memory", "pids")
_MOVES = 20
_GONE_S = 1.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Groups:
    """Where sessions' groups are made. version: of the kernel's hierarchy; pids: version 1 has a folder for each."""

    version: int
    memory: Path
    pids: Path | None = None

    def make(self, limits: Limits) -> Group | None:
        """A group with these limits; None, with a line in the log, if it can't be made (the watchdog remains)."""
        name = f"{_PREFIX}-{os.getpid()}-{next(_numbers)}"
        folders = [parent / name for parent in (self.memory, self.pids) if parent is not None]
        memory, tasks = str(limits.memory_mb << 20), str(limits.processes + _SPARE_TASKS)
        try:
            for folder in folders:
                folder.mkdir()
            if self.version == 2:
                _write(folders[0] / "memory.max", memory)
                _write(folders[0] / "memory.oom.group", "1")
                _try_write(folders[0] / "memory.swap.max", "0")
                _write(folders[0] / "pids.max", tasks)
            else:
                _write(folders[0] / "memory.limit_in_bytes", memory)
                _try_write(folders[0] / "memory.memsw.limit_in_bytes", memory)
                for folder in folders[1:]:
                    _write(folder / "pids.max", tasks)
            return Group(folders, "memory.events" if self.version == 2 else "memory.oom_control")
        except OSError as error:
            log.warning("no control group for a session, the watchdog alone holds its memory: %s", error)
            for folder in folders:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            return None

    def sweep(self) -> None:
        """Remove groups that a killed judge left."""
        for parent in (self.memory, self.pids):
            for folder in parent.glob(f"{_PREFIX}-*-*") if parent else ():
                owner = re.fullmatch(rf"{_PREFIX}-(\d+)-\d+", folder.name)
                if owner and not Path(f"/proc/{owner[1]}").exists():
                    with contextlib.suppress(OSError):
                        folder.rmdir()


class Group:
    """One session's group. Its files are opened before any student code runs."""

    def __init__(self, folders: list[Path], events: str) -> None:
        self.folders = folders
        self._members = [os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for folder in folders]
        self._events = os.open(folders[0] / events, os.O_RDONLY | os.O_CLOEXEC)

    def add(self, process: int) -> None:
        """Move a process in; what it starts from then on is in as well. Raises OSError."""
        for members in self._members:
            os.write(members, str(process).encode())

    def enter(self, command: list[str]) -> list[str]:
        """The command line that joins the group and then becomes `command`."""
        join = "".join(f'echo 0 >"${number}" && ' for number in range(1, len(self.folders) + 1))
        files = [str(folder / "cgroup.procs") for folder in self.folders]
        return ["/bin/sh", "-c", f'{join}shift {len(files)} && exec "$@"', "sh", *files, *command]

    def ran_out(self) -> bool:
        """Has the kernel killed a process of the group because its memory was used up?"""
        if self._events < 0:
            return False
        text = os.pread(self._events, 4096, 0).decode("ascii", "replace")
        found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return found is not None and int(found[1]) > 0

    def remove(self) -> None:
        """Once its processes have ended. Safe to call twice. A group that won't go is left to `sweep`."""
        for descriptor in (*self._members, self._events):
            if descriptor >= 0:
                os.close(descriptor)
        self._members, self._events = [], -1
        deadline = time.monotonic() + _GONE_S
        for folder in self.folders:
            while True:
                try:
                    folder.rmdir()
                except OSError as error:
                    if error.errno == errno.EBUSY and time.monotonic() < deadline:
                        time.sleep(0.001)
                        continue
                break


def find(setting: str = "auto") -> tuple[Groups | None, str]:
    """Where groups can be made, and a sentence that says so or why there is no such place. May move this process.

    setting: `auto`, `off`, or a writable folder of a cgroup hierarchy (version 1: of the memory controller). Raises
    SandboxUnavailable if a folder that was named does not serve.
    """
    if setting == "off":
        return None, "control groups are switched off by AUTOGRADER_CGROUP"
    try:
        groups = _given(Path(setting)) if setting != "auto" else _look()
        groups.sweep()
    except OSError as error:
        if setting != "auto":
            raise SandboxUnavailable(
                f"AUTOGRADER_CGROUP names {setting}, where no control group can be made: {error}. Delegate the folder "
                "to this user (systemd: Delegate=yes), or set AUTOGRADER_CGROUP=off."
            ) from error
        return None, str(error)
    return groups, f"cgroup version {groups.version}, below {groups.memory}"


def _look() -> Groups:
    """Version 2 if it has the memory controller, else version 1. Raises OSError."""
    mounts = _mounts()
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    two = mounts.get("cgroup2")
    if two is not None and "memory" in _words(two / "cgroup.controllers"):
        folder = two if os.geteuid() == 0 else two / own.get("", "/").lstrip("/")
        return delegated(folder.parent if folder.name == _JUDGE else folder)
    if "memory" not in mounts:
        raise OSError("this system has no memory controller in sight")
    return _first_version({name: mounts[name] / _below(own, name) for name in _NEEDED if name in mounts})


def _below(own: dict[str, str], controller: str) -> str:
    """Root makes groups below one of its own; an ordinary user can only where it was given its own group."""
    if os.geteuid() == 0:
        return _PREFIX
    return next((path for names, path in own.items() if controller in names.split(",")), "/").lstrip("/")


def _given(folder: Path) -> Groups:
    if (folder / "cgroup.controllers").exists():
        return delegated(folder)
    return _first_version({"memory": folder})


def _first_version(folders: dict[str, Path]) -> Groups:
    for folder in folders.values():
        if not folder.is_dir():
            if not folder.parent.is_dir():  # version 1 in a container: the mount begins where the path was to lead
                raise FileNotFoundError(errno.ENOENT, "this process's own group can't be seen from here", str(folder))
            folder.mkdir()
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "not writable for this user", str(folder))
    return Groups(1, folders["memory"], folders.get("pids"))


def delegated(folder: Path, controllers: tuple[str, ...] = _NEEDED) -> Groups:
    """A folder of version 2 in which groups have these controllers. Raises OSError.

    Its own processes, this one among them, move to a leaf if the kernel asks for that. controllers: for tests, which
    take what is free on the machine.
    """
    missing = set(controllers) - _words(folder / "cgroup.controllers")
    if missing:
        raise OSError(f"{folder} lacks the controllers {', '.join(sorted(missing))}")
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "not writable for this user", str(folder))
    wanted = " ".join(f"+{name}" for name in controllers)
    for _ in range(_MOVES):
        if set(controllers) <= _words(folder / "cgroup.subtree_control"):
            break
        try:
            _write(folder / "cgroup.subtree_control", wanted)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_to_leaf(folder)
    return Groups(2, folder)


def _move_to_leaf(folder: Path) -> None:
    leaf = folder / _JUDGE
    leaf.mkdir(exist_ok=True)
    for number in (folder / "cgroup.procs").read_text().split():
        _try_write(leaf / "cgroup.procs", number)  # it may have ended


def _mounts() -> dict[str, Path]:
    """`cgroup2`, or a controller's name of version 1 → where it is mounted."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            found.setdefault(kind, Path(before.split()[4]))
        elif kind == "cgroup":
            found |= {name: Path(before.split()[4]) for name in options.split(",") if name in _NEEDED}
    return found


def _words(path: Path) -> set[str]:
    return set(path.read_text().split())


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _try_write(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        _write(path, text)
