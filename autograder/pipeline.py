"""probe → check → score, on one screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.intake import Upload
from autograder.model import CheckResult, GradeReport
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import LoadedSpec


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a grading stands: what is being done, and the checks finished so far."""

    activity: str
    checks: tuple[CheckResult, ...] = ()


def grade(
    loaded: LoadedSpec,
    upload: Upload,
    sandbox: Sandbox,
    *,
    seed: int | None = None,
    data_dir: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> GradeReport:
    """Grade one upload. Raises SandboxError when our side failed; the student's failures are in the report."""
    raise NotImplementedError
