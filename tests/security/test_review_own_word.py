"""Points that rest on what was pasted in must not be marked as measured."""

from __future__ import annotations

import pytest

from autograder.checks.base import Context
from autograder.config import settings
from autograder.model import Observation, Trust
from autograder.specs.loader import load_spec


@pytest.mark.parametrize(
    ("spec", "check_id"),
    [
        ("ccds-compare", "matrices"),
        ("ccds-compare", "table"),
        ("ccds-compare", "own_best"),
        ("ccds-tune", "own_table"),
        ("ccds-tune", "own_best"),
    ],
)
def test_what_is_held_against_pasted_numbers_is_reported(spec: str, check_id: str) -> None:
    loaded = load_spec(settings().specs_dir / spec)
    check = next(check for check in loaded.checks if check.spec.id == check_id)
    measured = Observation("call", {}, trust=Trust.MEASURED)
    context = Context(also=dict.fromkeys(check.spec.also, measured))
    assert check.check.trust(measured, context, check.params_for("standin")) is Trust.REPORTED
