"""Whose files lie below the var folder: which spec's data needed them, who has them open, and when they go.

`shown/` and `trusted/` hold what data builders made, under names made of its content or its recipe. `uses/` has a
folder for each spec digest, with an empty file for each of those names. `sweep` deletes what no spec in force needs.

None of these folders can be written by student code, in a sandbox that isolates: it sees one folder of `shown/`, bound
read-only, and nothing of the rest. So no name in them can have become a link while this module looked away; in the weak
sandbox that is one more thing that the gap `files` leaves open.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Set
from contextvars import ContextVar
from pathlib import Path

from autograder.config import Settings, settings

log = logging.getLogger(__name__)
SHOWN, TRUSTED, USES = "shown", "trusted", "uses"
_GRACE_S = 3600.0  # younger things may belong to a spec whose data is being built
_UNFINISHED_S = 86400.0  # what a killed process left half made; no builder takes a day
_MAKING = ("making-", ".making-", ".gone-")
_building: ContextVar[str] = ContextVar("_building", default="")
_held: dict[Path, int] = {}
_holding = threading.Lock()


@contextlib.contextmanager
def building(spec_digest: str) -> Iterator[None]:
    """What is noted meanwhile belongs to the spec of this digest."""
    token = _building.set(spec_digest)
    try:
        yield
    finally:
        _building.reset(token)


def note(path: Path) -> None:
    """The data that is being built has a use for a file or folder of `shown/` or `trusted/`."""
    if digest := _building.get():
        uses = settings().var_dir / USES / digest
        uses.mkdir(parents=True, exist_ok=True)
        (uses / f"{path.parent.name}.{path.name}").touch()


def hold(folder: Path) -> bool:
    """Keep a folder from being swept as long as this process lives. False if it is not there (any more)."""
    with _holding:
        if folder in _held and _same(_held[folder], folder):
            return True
        with contextlib.suppress(KeyError):
            os.close(_held.pop(folder))
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not _same(descriptor, folder):  # swept between the two
            os.close(descriptor)
            return False
        _held[folder] = descriptor
        return True


def sweep(conf: Settings, spec_digests: Set[str]) -> list[Path]:
    """Delete what none of these specs has a use for and no process holds. What was deleted.

    Several workers may do this at once, and others build and grade meanwhile.
    """
    wanted: set[str] = set()
    for uses in _entries(conf.var_dir / USES):
        if uses.name in spec_digests or not _older(uses, _GRACE_S):
            wanted |= {path.name for path in _entries(uses)}
        else:
            shutil.rmtree(uses, ignore_errors=True)
    gone = []
    for kind in (SHOWN, TRUSTED):
        for path in _entries(conf.var_dir / kind):
            if path.name.startswith(_MAKING):
                if _older(path, _UNFINISHED_S):
                    shutil.rmtree(path, ignore_errors=True)
            elif f"{kind}.{path.with_suffix('.npz').name if path.suffix == '.lock' else path.name}" in wanted:
                continue
            elif _older(path, _GRACE_S) and _take(path):
                gone.append(path)
    return gone


def _take(path: Path) -> bool:
    """Delete a file or folder that nobody holds; False if somebody does or was quicker."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _same(descriptor, path):
            return False
        if path.is_dir():
            away = path.with_name(f".gone-{path.name}-{os.getpid()}")
            path.rename(away)  # at once, so that nobody meets half a folder
            shutil.rmtree(away, ignore_errors=True)
        else:  # whoever waits for a lock file that goes does its work twice at worst, with the same result
            path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _older(path: Path, seconds: float) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > seconds
    return False


def _same(descriptor: int, path: Path) -> bool:
    """Does the path still lead to what is open?"""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
