"""File names from strangers: which are shown how, which are refused, which are junk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from autograder.errors import UploadRefused
from autograder.text import is_hidden, one_line

MAX_PATH = 200
MAX_DEPTH = 6
ALLOWED = frozenset(
    {".py", ".ipynb", ".safetensors", ".pt", ".pth", ".json", ".txt", ".csv", ".md", ".npy", ".npz", ".png"}
)
ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".whl", ".egg", ".jar"})
_JUNK_FOLDERS = frozenset(
    {"__macosx", ".ipynb_checkpoints", "__pycache__", ".git", ".vscode", ".idea", ".mypy_cache", ".pytest_cache"}
)
_JUNK_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".gitignore", ".gitattributes", ".gitkeep"})
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$|clock\$)", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:")


def display_name(filename: str) -> str:
    """The last part of a file name, fit to show and to offer for download: never empty, at most 120 characters."""
    last = re.split(r"[/\\]", filename[-1000:])[-1]
    name = one_line(unicodedata.normalize("NFC", last), 1000).strip(". ")
    if len(name) > 120:
        suffix = PurePosixPath(name).suffix[:16]
        name = name[: 119 - len(suffix)] + "…" + suffix
    return name or "upload"


def listing(names: Iterable[str], limit: int = 8) -> str:
    """Names for a message: the first few, then how many more."""
    shown = [one_line(name, 80) for name in names]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more


def check_safe(name: str) -> None:
    """Refuse a path that could leave the folder it is unpacked into, or that hides what it is."""
    quoted = f"“{one_line(name, 100)}”"
    if not name or "\0" in name or any(is_hidden(char) or char in "\n\t" for char in name):
        raise _refused(f"The archive holds a file whose name has invisible characters: {quoted}.", "bad_name")
    if "\\" in name:
        raise _refused(f"The archive holds a file name with a backslash: {quoted}.", "unsafe_path")
    if name.startswith("/") or _DRIVE.match(name):
        raise _refused(f"The archive holds an absolute path: {quoted}.", "unsafe_path")
    if ".." in name.split("/"):
        raise _refused(f"The archive holds a path that leads out of its folder: {quoted}.", "unsafe_path")


def is_junk(name: str) -> bool:
    """True for what file managers, editors, git and Python leave behind; it is dropped without a word."""
    parts = [part.casefold() for part in name.split("/") if part]
    if not parts:
        return True
    return any(part in _JUNK_FOLDERS for part in parts) or parts[-1] in _JUNK_FILES or parts[-1].startswith("._")


def check_portable(name: str) -> None:
    """Refuse a path that is too long or deep, or that another system would read as something else."""
    quoted = f"“{one_line(name, 100)}”"
    parts = name.rstrip("/").split("/")
    if len(name.encode()) > MAX_PATH or len(parts) > MAX_DEPTH:
        raise _refused(
            f"The path {quoted} is too long or too deep (at most {MAX_PATH} bytes and {MAX_DEPTH} levels).", "long_path"
        )
    for part in parts:
        stem = unicodedata.normalize("NFKC", part).split(".")[0].rstrip(" ")
        if _DEVICES.fullmatch(stem):
            raise _refused(f"{quoted} is the name of a device on Windows.", "device_name")
        if not part or part == "." or part != part.strip() or part.endswith(".") or ":" in part:
            raise _refused(f"{quoted} is not a file name that works on every computer.", "bad_name")


def check_type(name: str) -> None:
    """Refuse a file of a kind that is not taken."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in ARCHIVES:
        raise nested(name)
    if suffix not in ALLOWED:
        raise UploadRefused(
            f"“{one_line(name, 100)}” in the archive is of a kind that is not taken.",
            f"Leave it out and pack the archive again. Taken are: {', '.join(sorted(ALLOWED))}.",
            "type_in_archive",
        )


def nested(name: str) -> UploadRefused:
    """The refusal of an archive inside the archive."""
    return UploadRefused(
        f"“{one_line(name, 100)}” is an archive inside the archive.",
        "Unpack it first, then pack all files into one .zip.",
        "nested_archive",
    )


def collision_key(name: str) -> str:
    """What two names share that some file systems can't tell apart: case and Unicode compatibility."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return folded.casefold()


def check_collisions(names: Iterable[str]) -> None:
    """Refuse names that would overwrite each other somewhere, folders included."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        key = collision_key(name)
        if key in files:
            raise _collision(files[key], name)
        files[key] = name
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            first = folders.setdefault(collision_key(folder), folder)
            if first != folder:
                raise _collision(first, folder)
    for key in files.keys() & folders.keys():
        raise _collision(files[key], folders[key] + "/")


def _collision(first: str, second: str) -> UploadRefused:
    if first == second:
        message = f"The archive holds “{one_line(first, 100)}” twice."
    else:
        message = f"“{one_line(first, 100)}” and “{one_line(second, 100)}” are the same name on some computers."
    return _refused(message, "duplicate_name")


def _refused(message: str, code: str) -> UploadRefused:
    hint = "Rename or remove that file, then pack the archive again with your system's own “Compress” command."
    return UploadRefused(message, hint, code)
