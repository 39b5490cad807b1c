"""Files of a data set that student code reads: kept in folders by content, which the sandbox shows read-only.

They don't travel over the wire, so a checkpoint of 400 MB costs a submission nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from autograder.config import Settings, settings
from autograder.errors import SpecError
from autograder.specs.dataset import DataSet

_READABLE, _OPEN = 0o644, 0o755  # by the user that student code runs as, who owns nothing


def shelf_of(conf: Settings) -> Path:
    """The folder in which the folders of all data sets lie, each under a name made of its content."""
    return conf.var_dir.absolute() / "shown"


def shown_folder(data: DataSet) -> Path | None:
    """The folder with the data set's `files` and `folders`, written if need be; None if it has neither.

    Raises SpecError for a name that leads out of it, or a folder that is not there.
    """
    if not data.files_digest:
        return None
    shelf = shelf_of(settings())
    place = shelf / data.files_digest[:32]
    if place.is_dir():
        return place
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
            if not place.is_dir():  # else another process was quicker
                raise
    return place


def _inside(relative: str) -> PurePosixPath:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise SpecError(f"the data set's file name {relative!r} leads out of its folder", "Use plain relative names.")
    return path
