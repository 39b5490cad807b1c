"""`autograder serve`: the web process and one worker on this machine, restarted when they die. bin/run starts this."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Annotated

import httpx
import typer
from rich.console import Console

from autograder.cli import demo as demo_course
from autograder.config import ROOT, Settings, settings
from autograder.storage.migrate import upgrade

_STOP_S = 15.0  # a worker gets this long to finish before it is killed; its job is then graded after the next start


@dataclass
class Part:
    """One child process and how to start it."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    _file: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the process in a session of its own; it gets SIGTERM if this one is killed."""
        if self._file is None:
            self._file = self.log.open("ab")
        tether = [setpriv, "--pdeathsig", "TERM"] if (setpriv := shutil.which("setpriv")) else []
        self.process = subprocess.Popen(
            [*tether, *self.command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.started = time.monotonic()

    def keep_alive(self) -> str:
        """Restart a process that has ended, at most once a second at first; what happened, or an empty string."""
        if self.process is None or (code := self.process.poll()) is None:
            return ""
        lived = time.monotonic() - self.started
        self.failures = 0 if lived > 30 else self.failures + 1
        time.sleep(min(0.2 * 2**self.failures, 10.0))
        self.start()
        return f"{self.name} ended ({code}) and was started again; see {self.log}"

    def stop(self) -> None:
        """Ask politely, then kill the whole session."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._file is not None:
            self._file.close()


def parts(settings: Settings, host: str, port: int) -> list[Part]:
    """The web process and a worker for this machine."""
    logs = settings.var_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    api = ["uvicorn", "api.app:create_app", "--factory", "--host", host, "--port", str(port), "--no-server-header"]
    api += ["--timeout-graceful-shutdown", "2"]  # open live pages would keep it from ending
    worker = ["celery", "-A", "worker.app", "worker", "--loglevel=INFO"]
    return [
        Part("api", [sys.executable, "-m", *api], logs / "api.log"),
        Part("worker", [sys.executable, "-m", *worker], logs / "worker.log"),
    ]


def port_is_free(host: str, port: int) -> bool:
    """True if this process could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wait_until_healthy(url: str, seconds: float = 60.0) -> bool:
    """True once /healthz answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/healthz", timeout=2).status_code == 200:
                return True
        time.sleep(0.1)
    return False


def supervise(running: list[Part], stop: threading.Event) -> None:
    """Keep all parts alive until `stop` is set, then end them."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    while not stop.wait(0.2):
        for part in running:
            if news := part.keep_alive():
                print(news, file=sys.stderr, flush=True)
    for part in reversed(running):
        part.stop()


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Create and show the demo course.")] = True,
) -> None:
    """Run the web process and one worker on this machine until Ctrl+C."""
    console = Console(stderr=True, highlight=False)
    if not port_is_free(host, port):
        console.print(
            f"Port {port} is taken. Is the autograder running already? Else choose another: --port {port + 1}"
        )
        raise typer.Exit(2)
    os.environ.setdefault("AUTOGRADER_PUBLIC_URL", f"http://{host}:{port}")
    conf = settings()
    conf.var_dir.mkdir(parents=True, exist_ok=True)
    upgrade()
    running = parts(conf, host, port)
    for part in running:
        part.start()
    try:
        if not wait_until_healthy(f"http://{host}:{port}"):
            console.print(f"The web process does not answer. Its log: {running[0].log}")
            raise typer.Exit(1)
        if demo:
            demo_course.show(conf, demo_course.set_up(conf), Console(highlight=False))
        else:
            console.print(f"The autograder runs at {conf.public_url} (Ctrl+C ends it)")
        supervise(running, threading.Event())
    finally:
        for part in running:
            part.stop()
