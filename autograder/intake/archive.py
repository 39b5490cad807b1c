"""Reads a ZIP archive from a stranger into memory, within limits that hold while reading."""

from __future__ import annotations

import io
import stat
import zipfile

from autograder.errors import UploadRefused
from autograder.intake.names import check_collisions, check_portable, check_safe, check_type, is_junk, nested
from autograder.text import one_line

MAX_ENTRIES = 200
MAX_RECORDS = 20_000  # directory records, junk included: bounds the memory zipfile takes to list them
MAX_RATIO = 200  # of one entry
MAX_TOTAL_RATIO = 100
_RATIO_FLOOR = 1024 * 1024  # unpacked sizes below this are never called a bomb
_TOTAL_RATIO_FLOOR = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIPS_BY_DESIGN = (".pt", ".pth", ".npz")  # torch and numpy write these as ZIP files
_REPACK = "Pack your files again with your system's own “Compress” command and upload the new archive."


def read_zip(data: bytes, *, total_bytes: int) -> dict[str, bytes]:
    """The archive's files by relative POSIX path, junk dropped and a single top folder stripped.

    Raises UploadRefused for anything unsafe, ambiguous, oversized or damaged.
    """
    if data.count(b"PK\x01\x02") > MAX_RECORDS:
        raise _too_many()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked(archive.infolist())
            files = _read_all(archive, entries, total_bytes)
    except UploadRefused:
        raise
    except Exception as error:  # zipfile raises a dozen unrelated types on damaged input; all mean the same here
        raise _damaged() from error
    return _strip_top(files)


def _checked(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The entries worth reading; raises UploadRefused if any is not acceptable."""
    kept = []
    for entry in entries:
        check_safe(entry.orig_filename)
        if is_junk(entry.filename):
            continue
        check_portable(entry.filename)
        _check_kind(entry)
        if entry.is_dir():
            continue
        check_type(entry.filename)
        kept.append(entry)
        if len(kept) > MAX_ENTRIES:
            raise _too_many()
    check_collisions(entry.filename for entry in kept)
    return kept


def _check_kind(entry: zipfile.ZipInfo) -> None:
    """Refuse links, devices, encrypted entries and compression methods few tools write."""
    quoted = f"“{one_line(entry.filename, 100)}”"
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if mode == stat.S_IFLNK:
        raise UploadRefused(f"{quoted} is a link, not a file.", "Put the file itself into the archive.", "link")
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UploadRefused(f"{quoted} is not an ordinary file.", _REPACK, "special_file")
    if entry.flag_bits & 0x41:
        raise UploadRefused("The archive is protected by a password.", "Pack it again without a password.", "encrypted")
    if entry.compress_type not in _METHODS:
        raise UploadRefused(f"{quoted} is packed with an unusual compression method.", _REPACK, "unknown_compression")


def _read_all(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], total_bytes: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    unpacked = packed = 0
    for entry in entries:
        content = _read_one(archive, entry, total_bytes - unpacked)
        unpacked += len(content)
        packed += max(entry.compress_size, 1)
        if unpacked > _TOTAL_RATIO_FLOOR and unpacked > packed * MAX_TOTAL_RATIO:
            raise _bomb("The archive")
        if _is_archive(content) and not entry.filename.lower().endswith(_ZIPS_BY_DESIGN):
            raise nested(entry.filename)
        files[entry.filename] = content
    return files


def _read_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    """One entry's content. The declared size is not believed: what really comes out is counted as it comes."""
    quoted = f"“{one_line(entry.filename, 100)}”"
    declared = entry.file_size
    entry.file_size = room + _CHUNK  # zipfile would cut the stream at the declared size and keep quiet about the rest
    parts: list[bytes] = []
    size = 0
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > room:
                raise UploadRefused(
                    f"Unpacked, the archive is too large (it goes over the limit at {quoted}).",
                    "Leave out data sets and checkpoints that the assignment does not ask for.",
                    "unpacks_too_large",
                )
            if size > _RATIO_FLOOR and size > max(entry.compress_size, 1) * MAX_RATIO:
                raise _bomb(quoted)
            parts.append(chunk)
    if size != declared:
        raise _damaged()
    return b"".join(parts)


def _is_archive(content: bytes) -> bool:
    magics = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00")
    return content.startswith(magics)


def _strip_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files without the folder that all of them share, at any number of levels."""
    while files:
        tops = {name.partition("/")[0] for name in files}
        if len(tops) != 1 or any("/" not in name for name in files):
            break
        files = {name.partition("/")[2]: content for name, content in files.items()}
    return files


def _too_many() -> UploadRefused:
    return UploadRefused(
        f"The archive holds more than {MAX_ENTRIES} files.",
        "Pack only your notebook or module and the helper files it needs; leave out data sets and environments.",
        "too_many_files",
    )


def _bomb(what: str) -> UploadRefused:
    return UploadRefused(
        f"{what} unpacks to far more than its packed size, like a decompression bomb.",
        "Leave out files of repeated data, such as arrays of zeros.",
        "ratio",
    )


def _damaged() -> UploadRefused:
    return UploadRefused("The ZIP archive is damaged or cut off.", _REPACK, "damaged_zip")
