"""Uploads that attack whoever unpacks, loads or shows them; graded for real where they get as far as that."""

from __future__ import annotations

import io
import json
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest

from autograder.errors import UploadRefused
from autograder.intake import unpack
from tests.security.grading import PRELUDE, Grade, zipped
from tests.security.test_submissions import worth

__all__ = ["worth"]

CODE = PRELUDE.encode()
Entry = tuple[zipfile.ZipInfo | str, bytes]


def archive(*entries: Entry) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return buffer.getvalue()


def special(name: str, kind: int, content: bytes) -> Entry:
    """An entry that is no plain file."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    return entry, content


GOOD: Entry = ("submission.py", CODE)
REFUSED: dict[str, Callable[[], bytes]] = {
    "a bomb of zeros": lambda: archive(GOOD, ("zeros.bin", bytes(300 << 20))),
    "many small bombs": lambda: archive(GOOD, *((f"z{n}.bin", bytes(5 << 20)) for n in range(60))),
    "a bomb in a bomb": lambda: archive(GOOD, ("inner.zip", bytes(250 << 20))),
    "a path upwards": lambda: archive(GOOD, ("../../etc/cron.d/evil", b"x")),
    "a path upwards in Windows' manner": lambda: archive(GOOD, ("..\\..\\evil.py", b"x")),
    "an absolute path": lambda: archive(GOOD, ("/etc/passwd", b"x")),
    "a drive letter": lambda: archive(GOOD, ("C:\\evil.py", b"x")),
    "a link to a file outside": lambda: archive(GOOD, special("labels.npy", stat.S_IFLNK, b"/etc/shadow")),
    "a link to a folder": lambda: archive(GOOD, special("d", stat.S_IFLNK, b"/"), ("d/x.py", b"x")),
    "a device": lambda: archive(GOOD, special("null", stat.S_IFCHR, b"")),
    "a pipe": lambda: archive(GOOD, special("pipe.py", stat.S_IFIFO, b"")),
    "a name with a zero byte": lambda: archive(GOOD, ("aQb.py", b"x")).replace(b"aQb.py", b"a\0b.py"),
    "a name that turns round": lambda: archive(GOOD, ("\u202eyp.evil", b"x")),
    "two names for one file": lambda: archive(GOOD, ("Submission.PY", b"x")),
    "two writings of one name": lambda: archive(GOOD, ("caf\u00e9.py", b"x"), ("cafe\u0301.py", b"y")),
    "a file that is also a folder": lambda: archive(GOOD, ("a", b"x"), ("a/b.py", b"y")),
    "too many files": lambda: archive(GOOD, *((f"f{n}.txt", b"") for n in range(20_000))),
    "a very long name": lambda: archive(GOOD, ("x" * 5000 + ".py", b"x")),
    "folders in folders for ever": lambda: archive(GOOD, ("d/" * 3000 + "x.py", b"x")),
    "an estimator that is a pickle": lambda: archive(GOOD, ("scaler.joblib", pickle.dumps(Bomb()))),
    "a program": lambda: archive(GOOD, ("helper.so", b"\x7fELF" + bytes(100))),
    "a directory that lies outside the file": lambda: archive(GOOD)[:-6] + struct.pack("<I", 2**32 - 2) + b"\0\0",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_archive_is_refused(name: str) -> None:
    with pytest.raises(UploadRefused) as caught:
        unpack("work.zip", REFUSED[name]())
    assert caught.value.hint


MARK = "import os; print('GOT loaded'); os._exit(9)"


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (MARK,)


def _zip_in_pt() -> bytes:
    return archive(
        ("archive/data.pkl", pickle.dumps(Bomb())), ("archive/version", b"3\n"), ("archive/../../evil.py", b"x")
    )


def _safetensors(header: bytes, claimed: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header


def _npy() -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickle.dumps(Bomb())


WEIGHTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a pickle for weights": ("model.pt", lambda: pickle.dumps(Bomb())),
    "a pickle in a zip for weights": ("model.pt", _zip_in_pt),
    "a state dict that is code": ("weights.pt", lambda: pickle.dumps({"line.weight": Bomb()})),
    "a start file among the weights": ("weights.pth", lambda: MARK.encode()),
    "an array of objects": ("labels.npy", _npy),
    "safetensors with an endless header": ("model.safetensors", lambda: _safetensors(b"{", 2**63)),
    "safetensors with a nested header": ("model.safetensors", lambda: _safetensors(b'{"a":' * 100_000)),
    "safetensors that overlap": (
        "model.safetensors",
        lambda: _safetensors(
            json.dumps({"a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 2**62]}}).encode()
        ),
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_nobody_loads_files_the_submission_did_not_ask_for(grade: Grade, worth: float, name: str) -> None:
    file, content = WEIGHTS[name]
    report = grade("work.zip", zipped({"submission.py": CODE, file: content()}))
    assert report.score == worth
    assert "GOT" not in report.output


SHADOWS = (
    *(
        "torch.py",
        "numpy.py",
        "json.py",
        "socket.py",
        "struct.py",
        "harness.py",
        "sitecustomize.py",
        "usercustomize.py",
    ),
    *("conftest.py", "random.py", "harness/wire.py", "harness/__init__.py", "autograder/__init__.py", "encodings.py"),
)


def test_files_named_like_modules_do_not_replace_ours(grade: Grade, worth: float) -> None:
    report = grade("work.zip", zipped({"submission.py": CODE, **{name: MARK.encode() for name in SHADOWS}}))
    assert report.score <= worth
    assert "harness" not in report.output


NOTEBOOK_LINES = {
    "a shell line": "!cat /etc/shadow; echo GOT $(cat /proc/1/environ | grep -c SECRET)",
    "a shell line kept in a variable": "out = !cat /etc/shadow\nprint('GOT', [l for l in out if 'root:' in l] or '')",
    "a shell cell": "%%bash\ncat /etc/shadow && echo GOT",
    "a program of another kind": "%%script python3\nprint(open('/etc/shadow').read(), 'GOT')",
    "a file run": "%run /etc/passwd",
    "a file loaded": "%load /etc/shadow",
    "a package from elsewhere": "%pip install --index-url http://127.0.0.1:1/ evil && echo GOT",
    "a file written where Python starts": "%%writefile /usr/lib/python3/dist-packages/evil.pth\nimport os",
    "a file written upwards": "%%writefile ../../opt/autograder/harness/wire.py\nprint('GOT')",
    "an extension": "%load_ext evil_extension",
    "the shell object": "get_ipython().system('cat /etc/shadow && echo G${x}OT')",
    "a page of scripts": "from IPython.display import HTML, Javascript\ndisplay(Javascript('GOTO'), HTML('<script>1</script>'))",
}


@pytest.mark.parametrize("name", NOTEBOOK_LINES)
def test_lines_of_notebooks_reach_nothing(grade: Grade, worth: float, name: str) -> None:
    sources = [PRELUDE, NOTEBOOK_LINES[name]]
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in sources]
    content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    report = grade("work.ipynb", content)
    assert report.score <= worth
    assert "GOT\n" not in report.output
    assert "root:" not in report.output.replace("root:x:0:0", "")
