"""A new grader spec, copied from the template that is proven with all others."""

from __future__ import annotations

import difflib
import re
import shutil
from pathlib import Path

from autograder.errors import SpecError
from autograder.specs.folder import TEMPLATE

_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")


def new_spec(spec_id: str, specs_dir: Path, solutions_dir: Path) -> list[Path]:
    """Copy the template's spec and solutions under a new id; the files made. Raises SpecError if the id won't do."""
    if not _ID.fullmatch(spec_id):
        raise SpecError(
            f"'{spec_id}' can't be a spec's id",
            "Use small letters, digits and hyphens, at most 64, starting with a letter: gcn-two-layer.",
        )
    homes = (specs_dir / spec_id, solutions_dir / spec_id)
    for home in homes:
        if home.exists():
            raise SpecError(f"{home} is there already", "Choose another id, or work on that one.")
    there = [p.name for p in specs_dir.glob("*/") if difflib.SequenceMatcher(None, p.name, spec_id).ratio() > 0.95]
    if there:
        raise SpecError(f"'{spec_id}' looks too much like '{there[0]}'", "Choose an id that nobody mistakes for it.")
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for source, home in zip((specs_dir / TEMPLATE, solutions_dir / TEMPLATE), homes, strict=True):
        shutil.copytree(source, home, ignore=ignore)
    spec_file = homes[0] / "spec.yaml"
    text = spec_file.read_text(encoding="utf-8")
    spec_file.write_text(re.sub(r"(?m)^id: .*$", f"id: {spec_id}", text, count=1), encoding="utf-8")
    return sorted(path for home in homes for path in home.rglob("*") if path.is_file())
