"""What a fork server, its judge and the kernel hold at one moment, to see whether it grows from session to session."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from autograder.sandbox.cgroups import Groups
from benchmarks.report import machine

_T = TypeVar("_T")
_SETTLE_S = 2.0  # the kernel takes namespaces apart after the last process has gone, on threads of its own
# Caches of the kernel, whose sizes only root may read → what of a session would stay behind in them.
SLABS = {
    "task_struct": "tasks",
    "mnt_cache": "mounts",
    "pid_namespace": "process namespaces",
    "net_namespace": "network namespaces",
    "user_namespace": "user namespaces",
}
Counts = dict[str, float | None]  # None: can't be read here


def held(server: int, groups: Groups | None) -> Counts:
    """Memory in MB and numbers of things.

    server: process number of the fork server, which has one spare child waiting. groups: where its sessions' groups are
    made.
    """
    time.sleep(_SETTLE_S)
    return {**own(server, groups), **kernel(groups)}


def own(server: int, groups: Groups | None) -> Counts:
    """What server and judge hold: nothing else on the machine moves it."""
    found: Counts = {}
    for name, process in (("server", str(server)), ("judge", "self")):
        found[f"the {name}'s memory, MB"] = table(Path(f"/proc/{process}/status"))["RssAnon"] / 1024
        found[f"the {name}'s descriptors"] = len(list(Path(f"/proc/{process}/fd").iterdir()))
    found["the server's processes"] = len(children_of(server))
    found["the server's mounts"] = len(Path(f"/proc/{server}/mountinfo").read_text().splitlines())
    found["the judge's control groups"] = len(list(groups.memory.glob(f"*-{os.getpid()}-*"))) if groups else None
    return found


def kernel(groups: Groups | None) -> Counts:
    """What the whole machine holds. In the kernel's caches, what a processor keeps for its next objects counts too."""
    caches = _try(_slabs) or {}
    return {
        "machine: open files": _try(lambda: float(Path("/proc/sys/fs/file-nr").read_text().split()[0])),
        "machine: sockets": _try(lambda: float(Path("/proc/net/sockstat").read_text().split()[2])),
        "machine: control groups": _try(lambda: _control_groups(groups)),
        **{f"kernel's cache: {what}": caches.get(name) for name, what in SLABS.items()},
    }


def print_growth(before: Counts, after: Counts, sessions: int) -> None:
    """First, last, and the difference."""
    print(
        f"growth over {sessions} sessions; the machine's and the kernel's rows count whatever else runs\n{machine()}\n"
    )
    print(f"{'':36}{'first':>12}{'last':>12}{'growth':>12}")
    for name, first in before.items():
        last = after[name]
        if first is None or last is None:
            print(f"{name:36}    can't be read here")
        else:
            print(f"{name:36}{first:12.2f}{last:12.2f}{last - first:+12.2f}")


def children_of(process: int) -> list[int]:
    """Its children's numbers."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def table(path: Path) -> dict[str, int]:
    """`name: number …` lines of a file in /proc."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}


def _try(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except (OSError, LookupError):  # not allowed, not there, or without this line
        return None


def _slabs() -> dict[str, float]:
    """Objects in use, by cache."""
    lines = Path("/proc/slabinfo").read_text().splitlines()[2:]
    return {words[0]: float(words[1]) for words in map(str.split, lines)}


def _control_groups(groups: Groups | None) -> float | None:
    """All of the hierarchy's, also removed ones to which memory is still charged."""
    if groups is None:
        return None
    if groups.version == 2:
        counts = table(groups.memory / "cgroup.stat")
        return counts["nr_descendants"] + counts["nr_dying_descendants"]
    rows = (line.split() for line in Path("/proc/cgroups").read_text().splitlines())
    return {row[0]: float(row[2]) for row in rows if not row[0].startswith("#")}["memory"]
