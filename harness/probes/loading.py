"""Operations that bring things in: load, resolve, put."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.adapt import Declared
from harness.errors import BadRequest
from harness.execute import load
from harness.isolation import seed_all
from harness.resolve import Entry, resolve
from harness.session import Request, Session, operation


@operation("load")
def run_load(session: Session, request: Request) -> Mapping[str, Any]:
    """Load the submission's files."""
    if session.submission is not None:
        raise BadRequest("a submission is loaded already; start a new session")
    files = {}
    for file in request.get("files", list):
        if not isinstance(file, dict) or not isinstance(file.get("data"), np.ndarray):
            raise BadRequest("files must be a list of {name, data}")
        files[str(file.get("name"))] = file["data"].tobytes()
    data = request.text("data", None)
    if card := request.get("gpu_memory_mb", int, 0):
        limit_card(card)
    seed_all(request.seed)
    session.submission, figures = load(
        files, request.text("main"), request.text("mode"), session.folder, Path(data) if data else None
    )
    remarks = list(session.submission.notes.remarks)
    return {"names": session.submission.names(), "remarks": remarks, "figures": figures}


@operation("resolve")
def run_resolve(session: Session, request: Request) -> Mapping[str, Any]:
    """Look the entry points up by their names."""
    wanted = request.get("entries", dict)
    answer = {}
    for name, found in resolve(session.loaded(), {name: _entry(row) for name, row in wanted.items()}).items():
        session.entries[name] = replace(found, parameters=_declared(wanted[name].get("parameters") or []))
        answer[name] = {
            "found": found.name if found.found else None,
            "how": found.how,
            "near": list(found.near),
            "message": found.message,
        }
    return answer


def limit_card(megabytes: int) -> None:
    """Let PyTorch refuse what goes beyond this much of the card, where it is asked for; the judge's watchdog sees to
    whoever does not ask PyTorch. Without a card nothing happens.
    """
    if torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(megabytes * (1 << 20) / total, 1.0), 0)


def _entry(row: Any) -> Entry:
    if not isinstance(row, dict) or not isinstance(row.get("names"), list):
        raise BadRequest("an entry needs kind, names and factories")
    return Entry(row.get("kind", ""), tuple(row["names"]), tuple(row.get("factories") or ()))


def _declared(rows: Any) -> Declared:
    """The declared parameters: a list of lists of names."""
    good = isinstance(rows, list) and all(isinstance(row, list) and row for row in rows)
    if not good or not all(isinstance(name, str) for row in rows for name in row):
        raise BadRequest("the parameters of an entry are a list of lists of names")
    return tuple(tuple(row) for row in rows)


@operation("put")
def run_put(session: Session, request: Request) -> Mapping[str, Any]:
    """Keep an array for later requests."""
    session.arrays[request.text("name")] = request.get("value", np.ndarray)
    return {}
