"""The handout of an assignment as the web shows it: made from the spec's folder, again only when a file changes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder.authoring.handout import handout_files
from autograder.errors import NotFound, SpecError
from autograder.services import catalogue

README = "README.md"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handout:
    """Files by name, as `autograder spec handout` writes them. version: changes with their content."""

    files: dict[str, bytes]
    version: str

    @property
    def text(self) -> str:
        """The instructions, in Markdown."""
        return self.files[README].decode()

    @property
    def starters(self) -> tuple[str, ...]:
        """What is there to start from, the notebook first."""
        rest = [name for name in self.files if name != README and not name.startswith("img/")]
        return tuple(
            sorted(rest, key=lambda name: (not name.startswith("submission."), name != "submission.ipynb", name))
        )

    def file(self, name: str) -> bytes:
        """One file. Raises NotFound for a name that is not in the list, whatever lies on disk."""
        if name not in self.files:
            raise NotFound("There is no such file.", "The assignment's page lists what there is.")
        return self.files[name]


def of(spec_id: str) -> Handout | None:
    """The handout of a spec; None if there is none: a page about an assignment must not break with its handout."""
    loaded = catalogue.find_or_none(spec_id)
    if loaded is None:
        return None
    try:
        found = [loaded.folder / README, *(loaded.folder / "starter").rglob("*"), *(loaded.folder / "img").rglob("*")]
        files = sorted(path for path in found if path.is_file())
        return _read(loaded.folder, tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in files))
    except OSError as error:
        _log.warning("handout of %s: %s", spec_id, error)
        return None


@lru_cache(maxsize=64)
def _read(folder: Path, _stamp: tuple[tuple[str, int, int], ...]) -> Handout | None:
    try:
        files = handout_files(folder)
    except (SpecError, ValueError, SyntaxError) as error:  # no handout, not UTF-8, a starter that is no Python
        _log.warning("handout of %s: %s", folder.name, error)
        return None
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return Handout(files, total.hexdigest()[:10])
