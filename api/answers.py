"""Answers that are files: pictures, uploads as they came, tables."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Response

_SEALED = "sandbox; default-src 'none'; frame-ancestors 'none'"
_DRAWN = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # SVG is styled inside
_PICTURES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


def download(filename: str, content: bytes) -> Response:
    """A student's file. It is offered to be saved and never opened in place: it could be anything."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", filename)[:100]
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": _SEALED}
    return Response(content, media_type="application/octet-stream", headers=headers)


def picture(content: bytes) -> Response:
    """A PNG. It never changes under its address, but only its owner may keep it."""
    headers = {"Cache-Control": "private, max-age=3600", "Content-Security-Policy": _SEALED}
    return Response(content, media_type="image/png", headers=headers)


def handout_file(name: str, content: bytes) -> Response:
    """A file of a handout: a picture in place, anything else to be saved. Its link changes with its content."""
    path = PurePosixPath(name)
    kind = _PICTURES.get(path.suffix.lower()) if path.parts[0] == "img" else None
    answer = download(path.name, content)
    if kind is not None:
        headers = {"Content-Security-Policy": _DRAWN if kind == "image/svg+xml" else _SEALED}
        answer = Response(content, media_type=kind, headers=headers)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def table(filename: str, text: str, *, for_people: bool) -> Response:
    """A CSV file. for_people: with the byte order mark that makes spreadsheets read it as UTF-8."""
    content = text.encode("utf-8-sig" if for_people else "utf-8")
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", filename)
    headers = {"Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
