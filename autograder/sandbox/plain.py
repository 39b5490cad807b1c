"""The weak sandbox: an ordinary child process, for machines that can't isolate and people who are trusted.

It has deadlines, caps on the wire and on output, a private folder, a small environment, rlimits and the watchdog. It
fences nothing off: GAPS has by name what it does not stop. It opens only where the configuration says in plain words
that this is wanted, and every report it leads to says so.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from autograder.errors import SandboxUnavailable
from autograder.sandbox.base import Limits
from autograder.sandbox.card import Card
from autograder.sandbox.cgroups import Group, Groups
from autograder.sandbox.family import Family
from autograder.sandbox.launch import (
    LOCK_FAILED,
    SERVER,
    USERS,
    FirstProcess,
    environment,
    resource_limits,
    start_harness,
)
from autograder.sandbox.runtime import discover
from autograder.sandbox.session import Session, Started, settle

TRUST = "I trust everyone who can upload"  # what AUTOGRADER_ALLOW_WEAK_SANDBOX must say
GAPS: Mapping[str, str] = {
    "files": (
        "student code can read and change every file that its user can: uploads, the database, hidden data, "
        "references, keys, and what other submissions are shown"
    ),
    "network": "student code can use the network: send hidden inputs out, fetch answers",
    "processes": (
        "student code can see, stop and end other processes of its user and read and change their memory, "
        "the judge's with its answers and scores among them"
    ),
    "survivors": "a process that means to can outlive its session",
    "leftovers": "what is left in folders that all share (/tmp, /dev/shm) stays, and the next submission can find it",
    "disk": "the size of each file is limited, not the space and the number of files",
    "memory": "memory that no process shows is not counted: pipes, sockets, files in /dev/shm",
    "process_count": "processes and threads are counted by the watchdog, so there can be too many for a moment",
    "system_calls": "every system call that an ordinary user may make is open, and so is the kernel's whole surface",
    "identity": "the names of this machine and of its users are to be seen",
    "paths": "/work and /data are elsewhere, and paths of this machine show in traces",
}
_WARNING = (
    "This was graded without isolation (sandbox “subprocess”): the submitted code could read the grader's files and "
    "change its own result, so the grade is worth as much as the trust in whoever wrote the code."
)
_SPARE_TASKS = 256  # beyond what the user runs already, whose processes count as well; for a fork bomb
_PREFIX = "autograder"


class PlainSandbox:
    """Implements Sandbox. Safe to use from several threads; each session belongs to the thread that opened it."""

    name = "subprocess"

    def __init__(
        self,
        runtime_python: Path,
        harness_dir: Path,
        *,
        device: int | None = None,
        ready_s: float = 60.0,
        groups: Groups | None = None,
        card: Card | None = None,
    ) -> None:
        """As for BubblewrapSandbox. Raises SandboxUnavailable if the interpreter or the harness is missing."""
        self._python = runtime_python.absolute()
        self._runtime = discover(runtime_python)
        if not (harness_dir / "__main__.py").is_file():
            raise SandboxUnavailable(f"The harness is missing: {harness_dir / '__main__.py'} does not exist.")
        self._harness = harness_dir.resolve()
        self._device = device
        self._ready_s = ready_s
        self._groups = groups
        self._card = card
        _sweep()

    def open(self, limits: Limits) -> Session:
        """Start a process with the harness ready for `load`. Raises SandboxError, SandboxUnavailable."""
        group = self._groups.make(limits) if self._groups else None
        try:
            started = self._launch(limits, group)
        except BaseException:
            if group is not None:
                group.remove()
            raise
        session = Session(started, limits, self._card)
        try:
            session.wait_ready(self._ready_s)
        except BaseException:
            status, said = session.exit_status(0), session.output()
            session.close()
            if status == LOCK_FAILED:
                raise SandboxUnavailable(_explain(said)) from None
            raise
        return session

    def warning(self) -> str:
        """One sentence for every report."""
        return _WARNING

    def runtime(self) -> Mapping[str, str]:
        """Package versions of the runtime, for the receipt, with a digest over all of them."""
        return self._runtime.versions

    def close(self) -> None:
        """Nothing is shared between sessions; those that were ended are waited for."""
        settle()

    def _launch(self, limits: Limits, group: Group | None) -> Started:
        """Start the keeper. The calling thread must outlive the session: the keeper ends with it."""
        # As root each session becomes a user of its own, who owns nothing (docs/decisions/0008).
        user = secrets.choice(USERS) if os.geteuid() == 0 else None
        folder = _folder(user, self._harness)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        output, output_end = os.pipe()
        try:
            words = self._command(limits, folder, user, theirs.fileno())
            popen = subprocess.Popen(
                group.enter(words) if group else words,
                stdin=subprocess.DEVNULL,
                stdout=output_end,
                stderr=output_end,
                env={},
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            tree = Family(popen.pid, folder, user)
        except BaseException as error:
            ours.close()
            os.close(output)
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise SandboxUnavailable(f"A process for student code could not be started: {error}") from error
            raise
        finally:
            theirs.close()
            os.close(output_end)
        data = str(limits.shown) if limits.shown else ""
        return Started(ours, output, FirstProcess(popen), tree, (), group, data)

    def _command(self, limits: Limits, folder: Path, user: int | None, channel: int) -> list[str]:
        """The keeper's command line. channel: a descriptor that is passed on."""
        gpu = self._device is not None
        config = {
            "judge": os.getpid(),
            "user": user,
            "channel": channel,
            "work": str(folder / "work"),
            "limits": {**resource_limits(limits, gpu=gpu), "NPROC": _tasks(limits, user)},
            "command": [str(self._python), "-B", "-s", "-P", "-u", "-c", start_harness(str(folder / "lib"))],
            "environment": self._environment(limits, folder),
        }
        run = f"import sys; sys.path.insert(0, {str(SERVER.parent.parent)!r}); from harness.server import keeper; "
        return [sys.executable, "-I", "-S", "-B", "-c", f"{run}keeper.main()", json.dumps(config)]

    def _environment(self, limits: Limits, folder: Path) -> dict[str, str]:
        """The same names as in any sandbox, with this machine's paths."""
        temporary = str(folder / "tmp")
        found = environment(limits, self._device)
        found |= {"HOME": str(folder / "work"), "TMPDIR": temporary, "MPLCONFIGDIR": f"{temporary}/matplotlib"}
        found["PATH"] = f"{self._python.parent}:/usr/local/bin:/usr/bin:/bin"
        if "LD_LIBRARY_PATH" in self._runtime.environment:
            found["LD_LIBRARY_PATH"] = str(self._python.resolve().parent.parent / "lib")
        return found


def refusal() -> SandboxUnavailable:
    """Why it does not open, and what to do."""
    return SandboxUnavailable(
        "The sandbox 'subprocess' isolates nothing: student code could read this machine's files and change its own "
        "grade. Use forkserver or bubblewrap (`bin/autograder doctor` says what they need here). Only where you trust "
        f'everyone whose code is run, set AUTOGRADER_ALLOW_WEAK_SANDBOX="{TRUST}"; every report then says so.'
    )


def _folder(user: int | None, harness: Path) -> Path:
    """A private folder with `work`, `tmp` and, in `lib`, the harness under that name. Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-"))
    (folder / "lib").mkdir()
    (folder / "lib" / "harness").symlink_to(harness)
    for name in ("work", "tmp"):
        (folder / name).mkdir(mode=0o700)
    if user is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, user, user)
    return folder


def _sweep() -> None:
    """Delete folders that a killed judge left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*-*"):
        owner = re.fullmatch(rf"{_PREFIX}-(\d+)-\w+", folder.name)
        if owner and not folder.is_symlink() and not Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _tasks(limits: Limits, user: int | None) -> int:
    """The kernel counts all processes and threads of a user, so an ordinary one's others have to fit in as well."""
    if user is not None:
        return limits.processes
    running = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text("ascii", "replace")
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        if fields.get("Uid", "").split()[:1] == [str(os.getuid())]:
            running += int(fields.get("Threads", "1"))
    return running + limits.processes + _SPARE_TASKS


def _explain(said: str) -> str:
    """What to do about a harness that could not be started."""
    advice = ""
    if os.geteuid() == 0:
        advice = (
            " As root it runs student code as a user who owns nothing and who must be able to read the Python for "
            "student code and the harness. Run the worker as an ordinary user, or lay them where everybody can read."
        )
    return f"The sandbox 'subprocess' could not start student code: {said.strip()[-500:]}.{advice}"
