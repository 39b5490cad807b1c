"""The sandbox fixtures of the conformance suite, for attacks, and gradings of hostile submissions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.sandbox.base import Sandbox
from tests.conformance.conftest import MINI_HARNESS, SANDBOXES, box, open_box
from tests.security.grading import grade, grade_slowly, grading_sandbox

__all__ = ["box", "grade", "grade_slowly", "grading_sandbox", "open_box", "sandbox"]


@pytest.fixture(scope="module", params=SANDBOXES)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every implementation that isolates; nothing is ever attacked in the weak one."""
    made = SANDBOXES[request.param](MINI_HARNESS)
    yield made
    made.close()
