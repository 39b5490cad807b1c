"""Files that a data set shows to student code: kept once by content, readable by anybody, never half written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs.dataset import DataSet
from autograder.specs.shown import shelf_of, shown_folder


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the folders lie: below a var folder of the test's own."""
    monkeypatch.setenv("AUTOGRADER_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield shelf_of(settings())
    monkeypatch.undo()
    settings.cache_clear()


def test_a_data_set_without_files_shows_nothing(shelf: Path) -> None:
    assert shown_folder(DataSet("d")) is None
    assert not shelf.exists()


def test_files_and_folders_are_written_once_and_can_be_read_by_anybody(tmp_path: Path, shelf: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    (checkpoint / "inner").mkdir(parents=True)
    (checkpoint / "inner" / "weights").write_bytes(b"w" * 1000)
    (checkpoint / "blob").symlink_to(checkpoint / "inner" / "weights")  # as in the hub's own cache
    (checkpoint / "inner" / "weights").chmod(0o600)
    data = DataSet("d", files={"vectors/toy.txt": b"1 2\n"}, folders={"hub/bert": checkpoint})
    folder = shown_folder(data)
    assert folder is not None
    assert folder.parent == shelf
    assert (folder / "vectors" / "toy.txt").read_bytes() == b"1 2\n"
    for name in ("blob", "inner/weights"):
        path = folder / "hub" / "bert" / name
        assert path.read_bytes() == b"w" * 1000
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o644
    assert all(path.stat().st_mode & 0o777 == 0o755 for path in (shelf, folder, folder / "hub" / "bert" / "inner"))
    same = DataSet("other name", files={"vectors/toy.txt": b"1 2\n"}, folders={"hub/bert": checkpoint})
    assert shown_folder(same) == folder
    assert [path.name for path in shelf.iterdir()] == [folder.name]


def test_the_digest_follows_names_contents_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    sets = [
        DataSet("d"),
        DataSet("d", files={"a": b"1"}),
        DataSet("d", files={"a": b"2"}),
        DataSet("d", files={"b": b"1"}),
        DataSet("d", folders={"a": tmp_path / "a"}),
        DataSet("d", folders={"b": tmp_path / "a"}),
    ]
    assert len({data.digest for data in sets}) == len(sets)
    assert len({data.files_digest for data in sets}) == len(sets)
    before = sets[-1].digest
    (tmp_path / "a" / "x").write_bytes(b"2")
    assert DataSet("d", folders={"b": tmp_path / "a"}).digest != before


def test_many_that_write_at_once_agree(shelf: Path) -> None:
    data = [DataSet("d", files={f"f{n}": b"x" * 10_000 for n in range(50)}) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(shown_folder, data))
    assert len(folders) == 1
    assert len(list(shelf.iterdir())) == 1
    assert len(list(next(shelf.iterdir()).iterdir())) == 50


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "."])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match="leads out"):
        shown_folder(DataSet("d", files={name: b""}))


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no folder .*nothing to show as hub/bert") as failed:
        shown_folder(DataSet("d", folders={"hub/bert": tmp_path / "nothing"}))
    assert failed.value.hint
