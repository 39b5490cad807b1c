"""Grader specs of the settings' folder, loaded again only when they change on disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from autograder.config import settings
from autograder.errors import SpecError
from autograder.specs import kept
from autograder.specs.folder import digest_of, spec_files
from autograder.specs.loader import LoadedSpec, load_spec


def find(spec_id: str) -> LoadedSpec:
    """The spec of that id. Raises SpecError if there is none, or it can't be used."""
    folder = settings().specs_dir / spec_id
    try:
        stamp = tuple((str(path), path.stat().st_mtime_ns) for path in spec_files(folder))
    except OSError:
        stamp = ()
    return _load(spec_id, str(settings().specs_dir), stamp)


def find_or_none(spec_id: str) -> LoadedSpec | None:
    """The spec, or None: a page about an assignment must not break with its spec."""
    try:
        return find(spec_id)
    except SpecError:
        return None


def sweep() -> list[Path]:
    """Delete files of data sets that no spec of the settings' folder has a use for any more; what was deleted.

    A folder without specs is taken for a mistake of the settings, and nothing is deleted. Raises OSError.
    """
    specs = [path.parent for path in settings().specs_dir.glob("*/spec.yaml")]
    return kept.sweep(settings(), {digest_of(folder) for folder in specs}) if specs else []


@lru_cache(maxsize=64)
def _load(spec_id: str, _specs_dir: str, _stamp: tuple[tuple[str, int], ...]) -> LoadedSpec:
    return load_spec(settings().specs_dir / spec_id)
