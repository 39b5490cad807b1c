"""The harness's entry: warm up, say ready, then answer one request after the other (docs/wire.md)."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import BadRequest, HarnessError, Kind, describe
from harness.hub import serve_hub, warm_transformers
from harness.stubs import prepare_environment, quiet_progress, refuse_input, refuse_network, tame_torch
from harness.wire import Connection, WireError

DESCRIPTOR = 3
PACKAGES = ("torch", "numpy", "scikit-learn", "transformers", "matplotlib", "pandas", "scipy", "ipython")


def main() -> None:
    """Serve the judge on descriptor 3 until it hangs up. The work directory is the current one."""
    os.set_inheritable(DESCRIPTOR, False)
    connection = Connection(socket.socket(fileno=DESCRIPTOR))
    prepare_environment()
    warm()
    refuse_input()
    refuse_network()
    serve_hub()
    serve(connection, Path.cwd())


@cache
def warm() -> None:
    """Import and prepare what every submission needs, so that no probe pays for it; a fork server does it early."""
    import torch
    import torch._dynamo

    import harness.probes
    from harness.isolation import settle
    from harness.tables import install_tables
    from harness.vectors import install_vectors
    from harness.vision import install_vision
    from harness.watch import watch_loaders

    assert harness.probes.__all__
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1).step()
    quiet_progress()
    tame_torch()
    watch_loaders()
    install_vision()
    install_tables()
    install_vectors()
    warm_transformers()
    settle()


@cache
def versions() -> Mapping[str, str]:
    """What the submission runs on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def serve(connection: Connection, folder: Path) -> None:
    """Say ready and answer requests until the judge hangs up."""
    from harness.isolation import settle
    from harness.session import Session

    session, owner = Session(folder), os.getpid()
    with suppress(Exception):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    connection.send({"type": "event", "id": 0, "event": "ready", "versions": versions()})
    while (message := connection.receive()) is not None:
        settle()
        answer = _answer(session, message, connection)
        if os.getpid() != owner:
            os._exit(0)  # a fork the student's code left behind must not answer too
        _flush()
        _respond(connection, message.get("id", 0), answer)


def _answer(session: Any, message: Mapping[str, Any], connection: Connection) -> dict[str, Any]:
    """The result or the error of one request; whatever student code raises ends here."""
    from harness.session import OPERATIONS, Request

    def emit(event: str, payload: Mapping[str, Any]) -> None:
        connection.send({"type": "event", "id": message["id"], "event": event, **payload})

    try:
        if message.get("type") != "request" or not isinstance(message.get("id"), int):
            raise BadRequest("not a request")
        operation = OPERATIONS.get(str(message.get("op")))
        if operation is None:
            raise BadRequest(f"there is no operation {message.get('op')!r}")
        return {"status": "ok", "result": dict(operation(session, Request(message, emit)))}
    except BaseException as error:
        return {"status": "error", "error": describe(error)}


def _respond(connection: Connection, number: int, answer: dict[str, Any]) -> None:
    """Send the response; one that can't be put into a frame becomes an error."""
    message = {"type": "response", "id": number, **answer}
    try:
        connection.send(message)
    except (WireError, MemoryError) as error:
        kind = Kind.MEMORY if isinstance(error, MemoryError) else Kind.UNSUPPORTED
        refused = HarnessError(kind, f"The answer can't be sent: {error}. Return tensors or arrays.")
        connection.send({"type": "response", "id": number, "status": "error", "error": describe(refused)})


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
