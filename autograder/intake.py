"""Safe unpacking of uploads: what a student sent becomes a few named files, or a clear refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """An accepted upload.

    files: relative POSIX path → content; main: the notebook or module to load; digest: SHA-256 hex of the raw upload.
    """

    filename: str
    files: Mapping[str, bytes]
    main: str
    digest: str


def unpack(filename: str, data: bytes, *, max_mb: int = 50) -> Upload:
    """Check and unpack a .ipynb, .py or .zip. Raises UploadRefused with what to do."""
    raise NotImplementedError
