"""A session sees the one folder it was given, can only read it, and sees nothing of the folders of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.errors import SandboxError
from autograder.sandbox.base import Limits, Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.forkserver import ForkServerSandbox
from tests.conformance.conftest import MINI_HARNESS, SMALL, Box

LOOK = """
import os
answer = sorted(os.path.join(top, name) for top, _, names in os.walk('/data') for name in names)
"""
HUNT = """
import os
found = []
for top, folders, names in os.walk('/'):
    if top == '/':
        folders[:] = [name for name in folders if name not in ('proc', 'sys', 'usr')]
    found += [os.path.join(top, name) for name in names if name.startswith('secret_of')]
answer = found
"""
SPOIL = """
import os
done = []
for change in (
    lambda: open('/data/mine.txt', 'w').write('x'),
    lambda: open('/data/new.txt', 'w').write('x'),
    lambda: os.remove('/data/mine.txt'),
    lambda: os.chmod('/data/mine.txt', 0o777),
    lambda: os.mkdir('/data/folder'),
    lambda: os.rename('/data/mine.txt', '/data/other.txt'),
):
    try:
        change()
        done.append(change)
    except OSError:
        pass
answer = len(done)
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Two folders of data sets."""
    for name in ("first", "second"):
        (tmp_path / "shelf" / name).mkdir(parents=True)
        (tmp_path / "shelf" / name / "mine.txt").write_text(name)
        (tmp_path / "shelf" / name / f"secret_of_{name}.txt").write_text(name)
    for path in (tmp_path / "shelf").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "shelf"


@pytest.fixture(params=["bubblewrap", "forkserver"])
def made(request: pytest.FixtureRequest, shelf: Path) -> Iterator[Sandbox]:
    """Both implementations."""
    python = settings().runtime_python
    sandbox: Sandbox = (
        BubblewrapSandbox(python, MINI_HARNESS)
        if request.param == "bubblewrap"
        else ForkServerSandbox(python, MINI_HARNESS, modules=(), shelf=shelf)
    )
    yield sandbox
    sandbox.close()


def open_box(sandbox: Sandbox, shown: Path | None) -> Box:
    return Box(sandbox.open(Limits(**SMALL, shown=shown)))


def test_each_session_reads_its_own_folder(made: Sandbox, shelf: Path) -> None:
    for name in ("first", "second", "first"):  # the spare child is another's each time
        box = open_box(made, shelf / name)
        assert box.answer(LOOK) == ["/data/mine.txt", f"/data/secret_of_{name}.txt"]
        assert box.answer("answer = open('/data/mine.txt').read()") == name
        assert box.answer(HUNT) == [f"/data/secret_of_{name}.txt"]
        box.session.close()
    box = open_box(made, None)
    assert box.answer(LOOK) == []
    assert box.answer(HUNT) == []
    box.session.close()


def test_nothing_in_it_can_be_changed(made: Sandbox, shelf: Path) -> None:
    box = open_box(made, shelf / "first")
    assert box.answer(SPOIL) == 0
    box.session.close()
    assert (shelf / "first" / "mine.txt").read_text() == "first"
    assert len(list((shelf / "first").iterdir())) == 2


def test_the_cover_can_not_be_lifted(made: Sandbox, shelf: Path) -> None:
    box = open_box(made, shelf / "first")
    lift = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    lift += "answer = [libc.umount2(p, 2) for p in (b'/opt/shelf', b'/data')] + [libc.unshare(0x10000000)]"
    assert box.answer(lift) == [-1, -1, -1]
    assert box.answer(HUNT) == ["/data/secret_of_first.txt"]
    box.session.close()


def test_a_folder_made_after_the_server_started_is_shown(made: Sandbox, shelf: Path) -> None:
    open_box(made, shelf / "first").session.close()
    (shelf / "third").mkdir(mode=0o755)
    (shelf / "third" / "new.txt").write_text("new")
    box = open_box(made, shelf / "third")
    assert box.answer("answer = open('/data/new.txt').read()") == "new"
    box.session.close()


def test_a_folder_from_elsewhere_is_refused_by_the_server(shelf: Path, tmp_path: Path) -> None:
    sandbox = ForkServerSandbox(settings().runtime_python, MINI_HARNESS, modules=(), shelf=shelf)
    with pytest.raises(SandboxError, match="can't be shown"):
        sandbox.open(Limits(shown=tmp_path))
    sandbox.close()


def test_what_is_to_be_imported_has_a_server_of_its_own(shelf: Path) -> None:
    sandbox = ForkServerSandbox(settings().runtime_python, MINI_HARNESS, modules=(), shelf=shelf)
    ask = "import sys; answer = ['transformers' in sys.modules, open('/data/mine.txt').read()]"
    plain = open_box(sandbox, shelf / "first")
    for name in ("first", "second"):
        text = Box(sandbox.open(Limits(memory_mb=2048, preload=("transformers",), shown=shelf / name)))
        assert text.answer(ask) == [True, name]
        text.session.close()
    assert plain.answer(ask) == [False, "first"]
    plain.session.close()
    with pytest.raises(SandboxError, match="known: transformers"):
        sandbox.open(Limits(preload=("tensorflow",)))
    sandbox.close()
