"""A new check type: its module, its example for the contract, and a test, all of which work from the first minute."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from autograder.checks import registry
from autograder.errors import UsageError

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,63}")


def new_check(name: str, root: Path) -> list[Path]:
    """Write the three files of a new check type below `root`; their paths. Raises UsageError if the name won't do."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"'{name}' can't be a check type's name", "Use small letters, digits and underscores: mean_range."
        )
    homes = {
        "check.py.txt": root / "autograder" / "checks" / f"{name}.py",
        "contract.py.txt": root / "tests" / "checks" / "contract" / f"{name}.py",
        "test.py.txt": root / "tests" / "checks" / f"test_{name}.py",
    }
    if registry.find(name) is not None or any(path.exists() for path in homes.values()):
        raise UsageError(f"there is a check type '{name}' already", "`autograder check list` names them all.")
    words = {
        "NAME": name,
        "CLASS": "".join(part.capitalize() for part in name.split("_")),
        "TITLE": name.replace("_", " ").capitalize(),
    }
    for template, path in homes.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(homes.values())
