"""A judge's end of the wire for tests: starts the harness as a plain process and talks to it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from autograder.config import ROOT, settings
from harness.wire import Connection

COLD = (
    "import ctypes; ctypes.CDLL(None).prctl(1, 9); "  # die with the test run, PR_SET_PDEATHSIG
    "import sys; sys.path.insert(0, sys.argv.pop()); import runpy; "
    "runpy.run_module('harness', run_name='__main__', alter_sys=True)"
)
NO_FILES: Mapping[str, bytes] = {}
WARM = Path(__file__).parent / "warm.py"


class HarnessFailure(AssertionError):
    """The harness answered with an error where the test wanted a result."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['kind']}: {error['type']}: {error['message']} ({error['where']})\n{error['trace']}")
        self.error = error


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}


class WarmServer:
    """A process with torch imported that forks one harness after the other, to spare each test the import."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [str(settings().runtime_python), "-I", str(WARM), str(ROOT), str(theirs.fileno())]
        self._process = subprocess.Popen(command, env=_environment(), pass_fds=[theirs.fileno()])
        theirs.close()

    def start(self, channel: socket.socket, folder: Path, log: BinaryIO) -> None:
        """Fork a harness on this channel."""
        socket.send_fds(self._control, [str(folder).encode()], [channel.fileno(), log.fileno()])

    def close(self) -> None:
        """End the server."""
        self._control.close()
        self._process.wait(timeout=30)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._process.kill()
        self._process.wait()
        self._control.close()


class ColdStart:
    """Starts each harness as the sandbox does, from nothing."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, channel: socket.socket, folder: Path, log: BinaryIO) -> None:
        """Start a process whose descriptor 3 is the channel."""
        number = channel.fileno()
        shell = f'exec "$0" -I -c "$1" "$2" 3<&{number}'
        command = ["bash", "-c", shell, str(settings().runtime_python), COLD, str(ROOT)]
        environment = _environment() | {"TMPDIR": str(folder.parent)}
        started = subprocess.Popen(
            command, cwd=folder, env=environment, pass_fds=[number], stdout=log, stderr=subprocess.STDOUT
        )
        self.processes.append(started)


class Harness:
    """One harness process. `result` asks and insists on an answer, `error` insists on an error."""

    def __init__(self, starter: WarmServer | ColdStart) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="harness-test-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name) / "work"
        self.folder.mkdir()
        self._log = (Path(self._folder.name) / "output").open("wb")
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        mine.settimeout(120)
        starter.start(theirs, self.folder, self._log)
        theirs.close()
        self._connection = Connection(mine)
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self.ready = self._connection.receive()

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, collect its events in `events`, return the whole response."""
        self._number += 1
        self._connection.send({"type": "request", "id": self._number, "op": op, **arguments})
        self.events = []
        while True:
            message = self._connection.receive()
            if message is None:
                raise AssertionError(f"the harness is gone; it printed:\n{self.output()}")
            assert message["id"] == self._number
            if message["type"] == "response":
                return message
            assert message["type"] == "event"
            self.events.append(message)

    def result(self, op: str, **arguments: Any) -> dict[str, Any]:
        """The result of a request that must succeed."""
        response = self.ask(op, **arguments)
        if response["status"] != "ok":
            raise HarnessFailure(response["error"])
        answer: dict[str, Any] = response["result"]
        return answer

    def error(self, op: str, **arguments: Any) -> dict[str, Any]:
        """The error of a request that must fail."""
        response = self.ask(op, **arguments)
        assert response["status"] == "error", response
        answer: dict[str, Any] = response["error"]
        return answer

    def load(
        self, source: str | list[str], mode: str = "definitions", files: Mapping[str, bytes] = NO_FILES
    ) -> dict[str, Any]:
        """Load a module's text, or a list of notebook cells."""
        name, data = ("submission.py", source.encode()) if isinstance(source, str) else ("nb.ipynb", notebook(source))
        return self.load_files({name: data, **files}, name, mode)

    def load_files(self, files: Mapping[str, bytes], main: str, mode: str = "definitions") -> dict[str, Any]:
        """Load files by name."""
        listed = [{"name": n, "data": d} for n, d in files.items()]
        return self.result("load", files=listed, main=main, mode=mode, seed=0)

    def model(self, *names: str, factories: tuple[str, ...] = (), seed: int = 0, **arguments: Any) -> str:
        """Resolve and construct a model; returns its handle."""
        entry = {"kind": "model", "names": list(names or ("CNN",)), "factories": list(factories)}
        self.result("resolve", entries={"model": entry})
        handle: str = self.result("construct", entry="model", seed=seed, arguments=arguments)["handle"]
        return handle

    def function(self, *names: str, kind: str = "function") -> dict[str, Any]:
        """Resolve an entry named `f`."""
        entry = {"kind": kind, "names": list(names), "factories": []}
        answer: dict[str, Any] = self.result("resolve", entries={"f": entry})["f"]
        return answer

    def put(self, **arrays: np.ndarray[Any, Any]) -> None:
        """Send arrays by name."""
        for name, value in arrays.items():
            self.result("put", name=name, value=value)

    def output(self) -> str:
        """What the process printed so far."""
        return Path(self._log.name).read_text("utf-8", "replace")

    def close(self) -> None:
        """Hang up and clean up."""
        self._connection.close()
        self._log.close()
        self._folder.cleanup()


def split_cells(text: str) -> list[str]:
    """The cells of a text in which lines of `# %%` part them."""
    return [part.strip("\n") for part in re.split(r"(?m)^# %%\n", text) if part.strip()]


def notebook(cells: list[str]) -> bytes:
    """An .ipynb with these code cells."""
    tree = {
        "cells": [
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "outputs": [], "execution_count": None}
            | {"source": text.splitlines(keepends=True)}
            for number, text in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(tree).encode()
