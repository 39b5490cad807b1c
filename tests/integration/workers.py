"""Real Celery workers as processes of their own, which tests may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT, wait_until


class Worker:
    """The worker's command under the AUTOGRADER_ variables in force, in a process group of its own."""

    def __init__(self, folder: Path, sandbox: str = "tests.fakes:make_sandbox") -> None:
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        self._out = self.log.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "--loglevel=INFO"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "AUTOGRADER_SANDBOX": sandbox},
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_ready(self) -> Worker:
        """Wait until it takes work."""
        wait_until(lambda: "ready." in self.log.read_text(), 60, f"the worker's start (see {self.log})")
        return self

    def kill_group(self) -> None:
        """kill -9 of everything it started that is still in its process group, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self._out.close()

    def terminate(self) -> None:
        """Ask it to finish what it does and end."""
        self.process.terminate()

    def wait_ended(self, seconds: float = 90) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(seconds)
        self._out.close()
        return code

    def stop(self) -> None:
        """End it at once, if it still runs."""
        if self.process.poll() is None:
            self.kill_group()
        self._out.close()
