"""Torch work of a data builder: done in a process of the runtime's Python, once, and kept below the var folder.

A builder runs where grading is judged, which has numpy only. What needs torch or transformers (training the small model
that a spec hands out, reference outputs) it puts into a Python file beside it and asks `run_trusted` for the result.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from autograder import installed
from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs import kept as keeping
from autograder.specs import trusted_process
from autograder.specs.dataset import Array

log = logging.getLogger(__name__)

_VERSION = b"2"  # of the stored form and of what the process sets before the script runs
_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
# Processors of different ages round differently, because libraries take other instructions on each. A network that was
# trained for a hundred steps is then another network, and a mistake that shows in one may not show in the other. These
# make all x86-64 processors take the oldest instructions, at two to three times the cost.
_SAME_BITS = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41"}
_NOTHING: Mapping[str, Any] = {}
_TAIL = 2500


@dataclass(frozen=True)
class TrustedResult:
    """What a script's `run` returned."""

    arrays: Mapping[str, Array] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def run_trusted(
    script: Path,
    arguments: Mapping[str, Any] = _NOTHING,
    inputs: Mapping[str, Array] = _NOTHING,
    files: Mapping[str, bytes] = _NOTHING,
    *,
    wall_s: float = 900.0,
    same_bits: bool = True,
) -> TrustedResult:
    """What `run(arguments, arrays)` of a trusted script returns, computed at most once.

    script: one Python file of the spec folder; it can import what the runtime holds and what `files` brings, nothing
    else beside it. Its `run` returns a dict with any of `arrays` (name → array or tensor), `files` (path → bytes) and
    `facts` (what JSON can hold). arguments: what JSON can hold; `seed` in it (default 0) seeds Python, numpy and torch.
    files: relative path → content, put into the script's current folder. It runs with one thread, on the CPU, without
    hub downloads. wall_s: how long it may take. What it trains is the same to the last bit on every x86-64 machine with
    the same packages; same_bits=False takes all instructions that the processor has, for large networks.

    The result is kept under a digest of script, arguments, inputs, files and the runtime's packages. Several processes
    that ask at once wait for the first. Raises SpecError with the end of the script's trace.
    """
    try:
        text = script.read_bytes()
    except OSError as error:
        raise SpecError(f"{script}: can't be read ({error.strerror})", "Is the path right?") from error
    python = settings().runtime_python
    request = _request(script, arguments, inputs, same_bits)
    kept = settings().var_dir / keeping.TRUSTED / f"{script.stem}-{_digest(text, request, inputs, files, python)}.npz"
    keeping.note(kept)
    if (result := _read(kept)) is not None:
        return result
    with _alone(kept.with_suffix(".lock")):
        if (result := _read(kept)) is not None:
            return result
        log.info("running %s; its result is kept in %s", script, kept)
        with tempfile.TemporaryDirectory(prefix="making-", dir=kept.parent) as name:
            folder = Path(name)
            _prepare(folder, text, request, inputs, files)
            _run(script, folder, python, wall_s, _SAME_BITS if same_bits else {})
            made = folder / "result.npz"
            result = _read(made)
            if result is None:
                raise SpecError(f"{script}: it left no result", "Don't end the process inside run(); return a dict.")
            made.replace(kept)
    return result


def _request(script: Path, arguments: Mapping[str, Any], inputs: Mapping[str, Array], same_bits: bool) -> str:
    """What the process is told, as JSON. Raises SpecError for arguments that JSON can't hold."""
    request = {
        "script": script.name,
        "arguments": dict(arguments),
        "arrays": {name: f"a{number}" for number, name in enumerate(sorted(inputs))},
        "seed": arguments.get("seed", 0),
        "same_bits": same_bits,
    }
    try:
        return json.dumps(request, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise SpecError(
            f"{script}: its arguments can't be written as JSON ({error})",
            "Give numbers, text, lists and dicts as arguments, and arrays as inputs.",
        ) from error


def _digest(text: bytes, request: str, inputs: Mapping[str, Array], files: Mapping[str, bytes], python: Path) -> str:
    total = hashlib.sha256()
    packages = installed.packages(python.absolute().parent.parent)
    for part in (_VERSION, text, request.encode(), str(python.resolve()).encode()):
        total.update(len(part).to_bytes(8, "little") + part)
    total.update(installed.digest(packages).encode())
    for name in sorted(inputs):
        array = np.ascontiguousarray(inputs[name])
        total.update(f"{name}:{array.dtype.str}:{array.shape};".encode())
        total.update(array.tobytes())
    for name in sorted(files):
        total.update(f"{name}:{len(files[name])};".encode() + files[name])
    return total.hexdigest()[:32]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that other threads and processes wait for; it ends with the process that holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prepare(folder: Path, text: bytes, request: str, inputs: Mapping[str, Array], files: Mapping[str, bytes]) -> None:
    (folder / "request.json").write_text(request, "utf-8")
    (folder / "script.py").write_bytes(text)
    shutil.copyfile(trusted_process.__file__, folder / "process.py")
    arrays: dict[str, Any] = {f"a{number}": inputs[name] for number, name in enumerate(sorted(inputs))}
    np.savez(folder / "inputs.npz", **arrays)
    (folder / "files").mkdir()
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise SpecError(f"the file name {name!r} leads out of the folder", "Use plain relative names.")
        target = folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _run(script: Path, folder: Path, python: Path, wall_s: float, instructions: Mapping[str, str]) -> None:
    """Run the process. instructions: which ones of the processor libraries may take. Raises SpecError."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **{f"{name}_NUM_THREADS": "1" for name in _THREADS},
        **instructions,
    }
    command = [str(python), "-I", "-B", str(folder / "process.py"), str(folder), str(os.getpid())]
    with (folder / "said").open("w+b") as said:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, cwd=folder, timeout=wall_s
            )
        except OSError as error:
            raise SpecError(
                f"{python}, the Python for torch work, can't be started ({error.strerror})",
                "Run bin/setup, or set AUTOGRADER_RUNTIME_PYTHON.",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise SpecError(
                f"{script}: not done after {wall_s:g} s\n{_tail(said)}", "Let it do less, or pass a larger wall_s."
            ) from error
        if done.returncode != 0:
            raise SpecError(
                f"{script}: failed (exit status {done.returncode})\n{_tail(said)}",
                "Put the script right. It runs with the packages of the runtime, one thread and no network.",
            )


def _tail(said: Any) -> str:
    said.seek(0)
    text: str = said.read().decode("utf-8", "replace").strip()
    return text[-_TAIL:]


def _read(path: Path) -> TrustedResult | None:
    """A stored result; None if there is none or it is damaged (each part carries a checksum)."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            index = json.loads(stored[trusted_process.INDEX].tobytes())
            arrays = {name: stored[key] for name, key in index["arrays"].items()}
            files = {name: stored[key].tobytes() for name, key in index["files"].items()}
            return TrustedResult(arrays, files, index["facts"])
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged archive
        log.warning("%s is damaged and will be made again: %s", path, error)
        return None
