"""The slow, simple sandbox: a new bubblewrap and a cold start of Python for every session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.errors import SandboxUnavailable
from autograder.sandbox.base import DATA, Limits
from autograder.sandbox.card import Card
from autograder.sandbox.cgroups import Groups
from autograder.sandbox.launch import LOCK_FAILED, Plan, explain, launch
from autograder.sandbox.runtime import discover
from autograder.sandbox.session import Session, settle

_DEFAULT_READY_S = 60.0


class BubblewrapSandbox:
    """Implements Sandbox. Safe to use from several threads; each session belongs to the thread that opened it."""

    name = "bubblewrap"

    def __init__(
        self,
        runtime_python: Path,
        harness_dir: Path,
        *,
        device: int | None = None,
        ready_s: float = _DEFAULT_READY_S,
        groups: Groups | None = None,
        card: Card | None = None,
    ) -> None:
        """runtime_python: interpreter for student code, usually of a virtual environment.

        harness_dir: the package `harness`. device: number of the NVIDIA card to show, None for none. ready_s: how
        long its imports may take. groups: where to make a control group for each session, None to make none. card: of
        that device, for its memory to be watched.

        Raises SandboxUnavailable if the interpreter or the harness is missing.
        """
        self._runtime = discover(runtime_python)
        if not (harness_dir / "__main__.py").is_file():
            raise SandboxUnavailable(f"The harness is missing: {harness_dir / '__main__.py'} does not exist.")
        self._harness = harness_dir.resolve()
        self._device = device
        self._ready_s = ready_s
        self._groups = groups
        self._card = card

    def open(self, limits: Limits) -> Session:
        """Start a process with the harness ready for `load`. Raises SandboxError, SandboxUnavailable."""
        group = self._groups.make(limits) if self._groups else None
        shows = {DATA: limits.shown} if limits.shown else {}
        try:
            started = launch(Plan(self._runtime, self._harness, limits, self._device, shows), group)
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
                raise SandboxUnavailable(explain(said)) from None
            raise
        return session

    def warning(self) -> str:
        """Empty: every lock is on, or `open` fails."""
        return ""

    def runtime(self) -> Mapping[str, str]:
        """Package versions of the runtime, for the receipt, with a digest over all of them."""
        return self._runtime.versions

    def close(self) -> None:
        """Nothing is shared between sessions; those that were ended are waited for."""
        settle()
