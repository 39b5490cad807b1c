"""What grades: the packages that a Python holds, read without starting it, and the grader's own code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
# The code that decides what a grading observes, how it is judged and what it is worth.
_DECIDES = (
    "harness",
    "autograder/checks",
    "autograder/intake/code.py",  # what the check `source` reads
    "autograder/probing",
    "autograder/model.py",
    "autograder/pipeline.py",
    "autograder/python_text.py",
    "autograder/reseeding.py",
    "autograder/scoring.py",
)


def packages(prefix: Path) -> dict[str, str]:
    """Name → version of what lies in the site-packages of an installation or virtual environment."""
    folders = [str(path) for path in prefix.glob("lib/python3*/site-packages")]
    return {d.name.lower().replace("_", "-"): d.version for d in distributions(path=folders) if d.name}


def digest(versions: Mapping[str, str]) -> str:
    """16 hexadecimal digits that change when a package does."""
    listing = "\n".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


@cache
def grader_code() -> str:
    """The digest of the code that grades here, read once a process."""
    return code_digest(_ROOT)


def code_digest(root: Path) -> str:
    """16 hexadecimal digits that change with the code that decides a grade, and with neither its place nor its age."""
    paths = (path for part in _DECIDES for path in ((root / part).rglob("*.py") if "." not in part else [root / part]))
    total = hashlib.sha256()
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).digest()
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
    return total.hexdigest()[:16]
