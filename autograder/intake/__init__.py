"""Safe unpacking of uploads: what a student sent becomes a few named files, or a clear refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.errors import UploadRefused
from autograder.intake.archive import read_zip
from autograder.intake.content import Disguise, check_module, check_notebook, disguise
from autograder.intake.names import display_name, listing

__all__ = ["Upload", "display_name", "unpack"]

_SUFFIXES = (".ipynb", ".py", ".zip")
_OTHER_FORMATS = {
    ".html": "In Jupyter choose File → Download as → Notebook (.ipynb), not HTML.",
    ".htm": "In Jupyter choose File → Download as → Notebook (.ipynb), not HTML.",
    ".pdf": "Upload the notebook itself (.ipynb), not a PDF print of it.",
    ".docx": "Upload the notebook (.ipynb) or module (.py), not a document.",
    ".txt": "Rename it if only its ending is wrong: a notebook ends in .ipynb, a module in .py.",
    ".json": "If this is a notebook whose ending the browser changed, rename it so that it ends in .ipynb.",
}
_ARCHIVES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted upload.

    filename: the student's name for it, sanitised. files: relative POSIX path → content. main: the notebook or module
    to load, a key of `files`. digest: SHA-256 hex of the raw upload.
    """

    filename: str
    files: Mapping[str, bytes]
    main: str
    digest: str


def unpack(filename: str, data: bytes, *, max_mb: int = 50) -> Upload:
    """Check and unpack a .ipynb, .py or .zip. Raises UploadRefused with what to do, and nothing else.

    A single file is stored as submission.ipynb or submission.py whatever its name was, so that a file called
    `torch.py` can't hide the package of that name.
    """
    shown = display_name(filename)
    suffix = _suffix(shown)
    if not data:
        raise UploadRefused(f"“{shown}” is empty (0 bytes).", "Save your work, then upload the file again.", "empty")
    if len(data) > max_mb * 1024 * 1024:
        raise UploadRefused(
            f"“{shown}” has {len(data) / 1024 / 1024:.1f} MB; at most {max_mb} MB are taken.",
            "Leave out data sets and checkpoints, and clear the notebook's outputs (Kernel → Restart & Clear Output).",
            "too_large",
        )
    found = disguise(data)
    if suffix == ".zip":
        if found is not Disguise.ZIP:
            raise _not_a_zip(shown, found)
        files = read_zip(data, total_bytes=4 * max_mb * 1024 * 1024)
        named = _main_file(files)
        main = _with_small_ending(named)
        files = {main if name == named else name: content for name, content in files.items()}
    else:
        main = f"submission{suffix}"
        files = {main: data}
    if main.endswith(".ipynb"):
        check_notebook(shown if suffix != ".zip" else main, files[main])
    else:
        check_module(shown if suffix != ".zip" else main, files[main])
    return Upload(shown, files, main, hashlib.sha256(data).hexdigest())


def _suffix(shown: str) -> str:
    """The accepted suffix of a file name; raises UploadRefused for any other."""
    lower = shown.lower()
    for suffix in _SUFFIXES:
        if lower.endswith(suffix):
            return suffix
    ending = PurePosixPath(lower).suffix
    hint = "Hand in a notebook (.ipynb), a Python module (.py), or a .zip holding one of them and its helper files."
    if any(f"{suffix}." in lower or f"{suffix} " in lower for suffix in (".ipynb", ".py")):
        hint = "Your browser may have changed the name: rename the file so that it ends in .ipynb or .py."
    elif ending in _ARCHIVES:
        hint = "Pack the files as a .zip instead."
    elif ending in _OTHER_FORMATS:
        hint = _OTHER_FORMATS[ending]
    what = f"ends in {ending}" if ending else "has no file ending"
    raise UploadRefused(f"“{shown}” {what}, which can't be graded.", hint, "unknown_type")


def _not_a_zip(shown: str, found: Disguise | None) -> UploadRefused:
    if found is None:
        message = f"“{shown}” is not a ZIP archive; it may be damaged or cut off."
    else:
        message = f"“{shown}” is not a ZIP archive; it is {found.value}."
    return UploadRefused(message, "Pack your files again as a .zip, or upload the .ipynb or .py itself.", "not_a_zip")


def _with_small_ending(name: str) -> str:
    """The name with .IPYNB as .ipynb: whoever reads, runs or judges the file must take it for the same kind."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}{dot}{ending.lower()}"


def _main_file(files: Mapping[str, bytes]) -> str:
    """The file to load: submission.ipynb or .py, else the only notebook, else the only module."""
    named = [name for name in files if name.casefold() in ("submission.ipynb", "submission.py")]
    notebooks = [name for name in files if name.lower().endswith(".ipynb")]
    modules = [name for name in files if name.lower().endswith(".py")]
    for candidates in (named, notebooks, modules):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise UploadRefused(
                f"The archive holds several files that could be your work: {listing(candidates)}.",
                "Name the one to grade submission.ipynb or submission.py, and keep only one of them.",
                "ambiguous_main",
            )
    held = f" It holds: {listing(files)}." if files else " It is empty."
    raise UploadRefused(
        f"The archive holds no notebook and no Python module.{held}",
        "Put your .ipynb or .py file into the archive and upload it again.",
        "no_main",
    )
