"""Which packages a Python holds, read from its folder without starting it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path


def packages(prefix: Path) -> dict[str, str]:
    """Name → version of what lies in the site-packages of an installation or virtual environment."""
    folders = [str(path) for path in prefix.glob("lib/python3*/site-packages")]
    return {d.name.lower().replace("_", "-"): d.version for d in distributions(path=folders) if d.name}


def digest(versions: Mapping[str, str]) -> str:
    """16 hexadecimal digits that change when a package does."""
    listing = "\n".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    return hashlib.sha256(listing.encode()).hexdigest()[:16]
