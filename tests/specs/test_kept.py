"""What builders leave below the var folder goes when no spec has a use for it, and never under somebody's hands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.config import ROOT, settings
from autograder.services import catalogue
from autograder.specs import kept
from autograder.specs.dataset import DataSet
from autograder.specs.loader import load_spec
from autograder.specs.shown import note_use, shelf_of, shown_folder
from tests.conftest import SPECS
from worker.schedule import Schedule


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A var folder of the test's own."""
    monkeypatch.setenv("AUTOGRADER_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var"
    for folder in [held for held in kept._held if held.is_relative_to(tmp_path)]:
        os.close(kept._held.pop(folder))
    monkeypatch.undo()
    settings.cache_clear()


def let_go(folder: Path) -> None:
    """As if the process that held the folder had ended."""
    os.close(kept._held.pop(folder))


def age(*paths: Path, seconds: float = 7200) -> None:
    """Let things look older than what might still be in the making."""
    then = time.time() - seconds
    for path in paths:
        os.utime(path, (then, then))


def used_by(digest: str, text: bytes) -> Path:
    """A shown folder that a spec's data has a use for, no process has open, and that is not young."""
    data = DataSet("d", files={"x.txt": text})
    with kept.building(digest):
        note_use(data)
    folder = shown_folder(data)
    assert folder is not None
    let_go(folder)
    age(folder, settings().var_dir / kept.USES / digest)
    return folder


def test_what_no_spec_in_force_uses_goes() -> None:
    old, both, new = used_by("1" * 64, b"old"), used_by("1" * 64, b"both"), used_by("2" * 64, b"new")
    assert used_by("2" * 64, b"both") == both
    assert kept.sweep(settings(), {"1" * 64, "2" * 64}) == []
    assert kept.sweep(settings(), {"2" * 64}) == [old]
    assert (new.is_dir(), both.is_dir(), old.exists()) == (True, True, False)
    assert sorted(path.name for path in (settings().var_dir / kept.USES).iterdir()) == ["2" * 64]
    assert sorted(shelf_of(settings()).iterdir()) == sorted([new, both])


def test_trusted_results_go_with_their_locks(var: Path) -> None:
    folder = var / kept.TRUSTED
    folder.mkdir(parents=True)
    for name in ("a-1.npz", "a-1.lock", "b-2.npz", "b-2.lock"):
        (folder / name).touch()
    with kept.building("1" * 64):
        kept.note(folder / "a-1.npz")
    age(*folder.iterdir())
    assert {path.name for path in kept.sweep(settings(), {"1" * 64})} == {"b-2.npz", "b-2.lock"}
    assert {path.name for path in folder.iterdir()} == {"a-1.npz", "a-1.lock"}


def test_what_is_young_is_left_alone(var: Path) -> None:
    folder = used_by("1" * 64, b"x")
    os.utime(folder)
    (var / kept.TRUSTED / "making-1").mkdir(parents=True)
    age(var / kept.TRUSTED / "making-1")
    assert kept.sweep(settings(), set()) == []
    assert (var / kept.TRUSTED / "making-1").is_dir()
    age(var / kept.TRUSTED / "making-1", seconds=100_000)
    kept.sweep(settings(), set())
    assert not (var / kept.TRUSTED / "making-1").exists()


def test_what_another_process_holds_is_left_alone() -> None:
    folder = used_by("1" * 64, b"x")
    code = (
        "import sys; from pathlib import Path; from autograder.specs import kept\n"
        "print(kept.hold(Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == b"True\n"
    assert kept.sweep(settings(), set()) == []
    other.stdin.close()
    other.wait()
    other.stdout.close()
    assert kept.sweep(settings(), set()) == [folder]


def test_a_folder_that_was_swept_is_made_again() -> None:
    folder = used_by("1" * 64, b"x")
    kept.sweep(settings(), set())
    assert not folder.exists()
    assert shown_folder(DataSet("d", files={"x.txt": b"x"})) == folder
    assert (folder / "x.txt").read_bytes() == b"x"


SHOWING = """
from autograder.specs.dataset import DataSet
from autograder.specs.shown import shown_folder
files = {f"{number}.txt": b"x" * 1000 for number in range(50)}
folder = shown_folder(DataSet("d", files=files))
print(sorted(path.name for path in folder.iterdir()) == sorted(files))
"""


def test_sweeping_and_showing_at_once_never_hands_out_half_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_GRACE_S", 0.0)
    environment = {**os.environ, "AUTOGRADER_VAR_DIR": str(settings().var_dir)}
    showing = [
        subprocess.Popen([sys.executable, "-c", SHOWING], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    while any(process.poll() is None for process in showing):
        kept.sweep(settings(), set())
    assert [process.communicate()[0] for process in showing] == [b"True\n"] * 4
    kept.sweep(settings(), set())
    assert list(shelf_of(settings()).iterdir()) == []


def test_a_link_is_never_followed(var: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").touch()
    (var / kept.SHOWN).mkdir(parents=True)
    (var / kept.SHOWN / "link").symlink_to(tmp_path / "precious")
    age(tmp_path / "precious")
    kept.sweep(settings(), set())
    assert (tmp_path / "precious" / "x").exists()


def test_building_a_specs_data_notes_its_use_and_a_changed_spec_lets_it_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(SPECS / "fake-task", tmp_path / "specs" / "fake-task")
    monkeypatch.setenv("AUTOGRADER_SPECS_DIR", str(folder.parent))
    settings.cache_clear()
    builder = (folder / "data.py").read_text()
    builder = builder.replace("np.float32)}", "np.float32)}, files={'note.txt': b'shown'}")
    (folder / "data.py").write_text(builder)
    loaded = load_spec(folder)
    shown = shown_folder(loaded.build_data(None, 0))
    assert shown is not None
    let_go(shown)
    age(shown, settings().var_dir / kept.USES / loaded.digest)
    assert catalogue.sweep() == []
    (folder / "data.py").write_text(builder.replace("shown", "changed"))
    Schedule(1).tidy()  # as a worker does when it starts
    assert not shown.exists()


def test_settings_that_name_no_spec_delete_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = used_by("1" * 64, b"x")
    monkeypatch.setenv("AUTOGRADER_SPECS_DIR", str(tmp_path / "missing"))
    settings.cache_clear()
    assert catalogue.sweep() == []
    assert folder.is_dir()
