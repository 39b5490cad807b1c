"""Hostile weights files, handed to the one part of ours that opens such files: the probe `checkpoint`.

Each is graded for real by a small spec. Nothing in the file may run, and the report must say that it holds no weights,
or which limit ended it.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec
from tests.security.grading import zipped

SPEC = """
id: weights
title: Saved weights
points: 10
limits: {load_s: 30, wall_s: 10, cpu_s: 60, memory_mb: 1024, disk_mb: 64}
entry_points:
  model: {kind: model, names: [Net]}
data: {builder: data.py, sets: [standin]}
observations:
  names: {probe: resolve}
  weights: {probe: checkpoint, file: 'weights.*', inputs: inputs}
  after: {probe: forward, inputs: inputs}
checks:
  - {id: names, type: entry_points, observe: names, points: 1}
  - id: weights
    type: checkpoint
    observe: weights
    points: 8
    params: {expected: right, tensors: {fc.weight: [4, 3]}}
  - {id: after, type: output_shape, observe: after, points: 1, params: {shape: [N, 4]}}
"""
DATA = """
import numpy as np
from autograder.specs.dataset import DataSet

def build(name, data_dir, seed):
    arrays = {"inputs": np.eye(3, dtype=np.float32), "right": np.arange(12, dtype=np.float32).reshape(4, 3).T.copy()}
    return DataSet(name, arrays, judge_only=frozenset({"right"}))
"""
NET = b"""
import os
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 4, bias=False)

    def forward(self, x):
        for place in ("evil.py", "../evil.py", "/evil.py", "/tmp/evil.py"):
            if os.path.exists(place):
                print("GOT", place, flush=True)
        return self.fc(x)
"""
NUMBERS = struct.pack("<12f", *range(12))
MARK = "import os; print('GOT loaded', flush=True); os._exit(9)"
REFUSED = "can't be loaded as weights alone"
Grade = Callable[[str, bytes], GradeReport]
Make = Callable[[], bytes]


@pytest.fixture(scope="module")
def grade_weights(tmp_path_factory: pytest.TempPathFactory, grading_sandbox: Sandbox) -> Grade:
    """Grades a right network with a weights file of this name and content."""
    folder = tmp_path_factory.mktemp("specs") / "weights"
    folder.mkdir()
    (folder / "spec.yaml").write_text(SPEC, "utf-8")
    (folder / "data.py").write_text(DATA, "utf-8")
    loaded = load_spec(folder)
    return lambda file, content: pipeline.grade(
        loaded, unpack("work.zip", zipped({"submission.py": NET, file: content})), grading_sandbox
    )


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (MARK,)


def _whole(number: int) -> bytes:
    return b"\x8a\x0a" + number.to_bytes(10, "little", signed=True)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _tuple(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def _named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def tensor(
    sizes: tuple[int, ...] = (4, 3),
    strides: tuple[int, ...] = (3, 1),
    offset: int = 0,
    count: int = 12,
    record: str = "0",
) -> bytes:
    """How torch pickles a float tensor: a view of `count` numbers that lie in a record of the archive."""
    storage = _tuple(_text("storage"), _named("torch", "FloatStorage"), _text(record), _text("cpu"), _whole(count))
    view = (_tuple(*map(_whole, sizes)), _tuple(*map(_whole, strides)))
    hooks = _named("collections", "OrderedDict") + b")R"
    arguments = _tuple(storage + b"Q", _whole(offset), *view, b"\x89", hooks)
    return _named("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def state(*values: bytes, key: bytes = _text("fc.weight")) -> bytes:
    """The pickle of a dict whose key has these values, one after the other."""
    return b"\x80\x02}" + b"".join(key + value + b"s" for value in values) + b"."


def saved(content: bytes, **more: bytes) -> bytes:
    """An archive as torch writes it."""
    files = {"data.pkl": content, "byteorder": b"little", "version": b"3\n", "data/0": NUMBERS, **more}
    return zipped({f"archive/{name}": data for name, data in files.items()})


def _zeros() -> bytes:
    """2.5 GB of zeros in one record. What follows a full flush can be repeated in a deflate stream."""
    piece, pieces = bytes(64 << 20), 40
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    count = len(piece) * pieces // 4
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", state(tensor((count,), (1,), count=count)))
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/data/0", packed * pieces + b"\x03\x00")
        entry = archive.getinfo("archive/data/0")  # what is said of it here is written to the directory at the end
        entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, count * 4
    return buffer.getvalue()


def _tar() -> bytes:
    """The format of the first versions of torch, which was once unpickled whatever was asked for (CVE-2025-32434)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            entry = tarfile.TarInfo(name)
            content = pickle.dumps(Bomb())
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def safetensors(header: object, claimed: int | None = None, body: bytes = NUMBERS) -> bytes:
    """A file with this header, as JSON unless it is bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if claimed is None else claimed) + text + body


def one(begin: int = 0, end: int = 48, sizes: tuple[int, ...] = (4, 3), kind: str = "F32") -> dict[str, object]:
    """A tensor in such a header."""
    return {"dtype": kind, "shape": list(sizes), "data_offsets": [begin, end]}


RUNS_CODE: dict[str, Make] = {
    "a pickle": lambda: pickle.dumps(Bomb()),
    "a pickle of the oldest kind": lambda: pickle.dumps(Bomb(), protocol=0),
    "a dict that is code": lambda: pickle.dumps({"fc.weight": Bomb()}),
    "a pickle in an archive": lambda: saved(pickle.dumps(Bomb(), protocol=2)),
    "a dict that is code in an archive": lambda: saved(pickle.dumps({"fc.weight": Bomb()}, protocol=2)),
    "a tar of pickles": _tar,
}
NESTED: dict[str, Any] = {}
NESTED["model"] = NESTED
PAIRS: tuple[Any, ...] = ()
for _ in range(60):
    PAIRS = (PAIRS, PAIRS)
MANY = {f"t{n}": one(sizes=(0,), end=0) for n in range(50_000)}
PT: dict[str, tuple[Make, str]] = {
    **{name: (make, REFUSED) for name, make in RUNS_CODE.items()},
    "a tensor that is larger than what is stored": (lambda: saved(state(tensor((1 << 40,), (1,)))), REFUSED),
    "a tensor that begins before what is stored": (lambda: saved(state(tensor(offset=-4096))), REFUSED),
    "a tensor of steps backwards": (lambda: saved(state(tensor(strides=(-3, 1)))), REFUSED),
    "a tensor of 5000 sizes": (lambda: saved(state(tensor((1,) * 5000, (1,) * 5000))), "size mismatch"),
    "one number shown a trillion times": (lambda: saved(state(tensor((1 << 40,), (0,)))), "size mismatch"),
    "more numbers than the record has": (lambda: saved(state(tensor(count=1 << 40))), REFUSED),
    "a record of another place": (lambda: saved(state(tensor(record="../../../../etc/passwd"))), REFUSED),
    "a bomb in a record": (_zeros, REFUSED),
    "a thousand copies of a tensor": (lambda: saved(state(*[tensor()] * 1000, key=_text("x"))), "lacks fc.weight"),
    "a key that takes for ever to hash": (
        lambda: saved(state(tensor(), key=pickle.dumps(PAIRS, 2)[2:-1])),
        "longer than",
    ),
    "a dict that holds itself": (lambda: saved(pickle.dumps(NESTED, 2)), "holds no weights"),
    "a name of 4 MB": (lambda: saved(state(tensor(), key=_text("x" * (4 << 20)))), ""),
    "no end": (lambda: saved(b"\x80\x02" + b"(" * 10**6), REFUSED),
    "an archive that is cut off": (lambda: saved(state(tensor()))[:-30], REFUSED),
}
SAFETENSORS: dict[str, tuple[Make, str]] = {
    "an endless header": (lambda: safetensors({}, 2**63), REFUSED),
    "a header beyond the file": (lambda: safetensors({}, 90 << 20), REFUSED),
    "a nested header": (lambda: safetensors(b'{"a":' * 100_000), REFUSED),
    "a header that is no text": (lambda: safetensors(b"\xff" * 64), REFUSED),
    "a shape of 4 EB": (lambda: safetensors({"fc.weight": one(sizes=(2**60,))}), REFUSED),
    "a shape whose size runs over": (lambda: safetensors({"fc.weight": one(sizes=(2**62, 4, 12))}), REFUSED),
    "a tensor of 4 EB": (lambda: safetensors({"fc.weight": one(0, 2**62, (2**60,))}), REFUSED),
    "tensors that overlap": (lambda: safetensors({"fc.weight": one(), "other": one()}), REFUSED),
    "negative places": (lambda: safetensors({"fc.weight": one(-48, 0)}), REFUSED),
    "an end before its begin": (lambda: safetensors({"fc.weight": one(48, 0)}), REFUSED),
    "a hole": (lambda: safetensors({"fc.weight": one(48, 96)}, body=NUMBERS * 2), REFUSED),
    "bytes behind the last tensor": (lambda: safetensors({"fc.weight": one()}, body=NUMBERS + b"PK"), REFUSED),
    "a type that is none": (lambda: safetensors({"fc.weight": one(kind="O")}), REFUSED),
    "a pickle": (lambda: pickle.dumps(Bomb()), REFUSED),
    "50,000 empty tensors": (lambda: safetensors(MANY, body=b""), ""),
    "nothing by a huge side": (lambda: safetensors({"fc.weight": one(0, 0, (0, 2**62))}, body=b""), ""),
}
HOSTILE = {
    **{f"pt: {name}": ("weights.pt", *case) for name, case in PT.items()},
    **{f"safetensors: {name}": ("weights.safetensors", *case) for name, case in SAFETENSORS.items()},
}
RIGHT: dict[str, tuple[str, Make]] = {
    "an archive": ("weights.pt", lambda: saved(state(tensor()))),
    "an archive with paths upwards": (
        "weights.pt",
        lambda: saved(state(tensor()), **{"../../evil.py": b"x", "/evil.py": b"x", "../../../tmp/evil.py": b"x"}),
    ),
    "safetensors": ("weights.safetensors", lambda: safetensors({"fc.weight": one()})),
}


@pytest.mark.parametrize("name", RIGHT)
def test_these_files_are_made_rightly(grade_weights: Grade, name: str) -> None:
    file, make = RIGHT[name]
    report = grade_weights(file, make())
    assert report.score == 10, report.checks
    assert "GOT" not in report.output


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gains_nothing(grade_weights: Grade, name: str) -> None:
    file, make, words = HOSTILE[name]
    report = grade_weights(file, make())
    names, weights, after = report.checks
    assert "GOT" not in report.output
    assert (names.verdict, weights.score) == (Verdict.PASSED, 0)
    assert weights.verdict in (Verdict.FAILED, Verdict.CRASHED, Verdict.TIMED_OUT, Verdict.OUTPUT_LIMIT)
    assert words in weights.message, weights
    assert after.verdict is Verdict.PASSED  # the next question finds a process that works
    assert len(json.dumps(asdict(report), default=str)) < 100_000


CONTROL = """
import os, sys, torch
for path in sys.argv[1:]:
    if os.fork() == 0:
        torch.load(path, weights_only=False)
        os._exit(0)
    os.wait()
"""


def test_those_that_hold_code_run_it_where_they_are_trusted(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.pt" for number in range(len(RUNS_CODE))]
    for path, make in zip(paths, RUNS_CODE.values(), strict=True):
        path.write_bytes(make())
    command = [str(settings().runtime_python), "-c", CONTROL, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout.count("GOT") == len(RUNS_CODE), ran.stderr
