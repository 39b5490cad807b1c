"""Files of a data set that student code reads: kept in folders by content, which the sandbox shows read-only.

They don't travel over the wire, so a checkpoint of 400 MB costs a submission nothing. Only judges write here: student
code gets one of the folders, read-only (tests/conformance/test_shown.py), so no name here is ever a link of theirs.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from autograder.config import Settings, settings
from autograder.errors import SpecError
from autograder.specs import kept
from autograder.specs.dataset import DataSet

_READABLE, _OPEN = 0o644, 0o755  # by the user that student code runs as, who owns nothing


def shelf_of(conf: Settings) -> Path:
    """The folder in which the folders of all data sets lie, each under a name made of its content."""
    return conf.var_dir.absolute() / kept.SHOWN


def shown_folder(data: DataSet) -> Path | None:
    """The folder with the data set's `files` and `folders`, written if need be; None if it has neither.

    Raises SpecError for a name that leads out of it, or a folder that is not there.
    """
    if not data.files_digest:
        return None
    place = shelf_of(settings()) / data.files_digest[:32]
    while not kept.hold(place):  # it may be swept just after it was made
        _write(data, place)
    return place


def note_use(data: DataSet) -> None:
    """The spec whose data was built has a use for the data set's folder, written or not."""
    if data.files_digest:
        kept.note(shelf_of(settings()) / data.files_digest[:32])


def _write(data: DataSet, place: Path) -> None:
    """Make the folder, whole or not at all; another process may be quicker."""
    shelf = place.parent
    shelf.mkdir(parents=True, exist_ok=True)
    shelf.chmod(_OPEN)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=shelf) as name:
        made = Path(name) / "data"
        made.mkdir()
        for relative, folder in data.folders.items():
            shutil.copytree(folder, made / _inside(relative), copy_function=shutil.copyfile, dirs_exist_ok=True)
        for relative, content in data.files.items():
            target = made / _inside(relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for path in (made, *made.rglob("*")):
            path.chmod(_OPEN if path.is_dir() else _READABLE)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():
                raise


def _inside(relative: str) -> PurePosixPath:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise SpecError(f"the data set's file name {relative!r} leads out of its folder", "Use plain relative names.")
    return path
