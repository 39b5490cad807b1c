"""Points that rest on what was pasted in must not be marked as measured."""

from __future__ import annotations

import pytest

from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Trust
from autograder.specs.loader import load_spec


@pytest.mark.parametrize("check_id", ["matrices", "table", "own_best"])
def test_what_is_held_against_pasted_matrices_is_reported(check_id: str) -> None:
    loaded = load_spec(settings().specs_dir / "ccds-compare")
    check = next(check for check in loaded.checks if check.spec.id == check_id)
    measured = Observation("call", {}, trust=Trust.MEASURED)
    context = Context(also={"confusion": measured})
    assert check.check.trust(measured, context, check.params_for("standin")) is Trust.REPORTED
