"""Every spec that comes with the project may be handed out: its record of caught mutants is there and fits."""

from __future__ import annotations

import pytest

from autograder.config import settings
from autograder.proof import record
from autograder.specs.loader import load_spec
from autograder.specs.solutions import find_solutions

SPECS = sorted(path.parent.name for path in settings().specs_dir.glob("[!_]*/spec.yaml"))


@pytest.mark.parametrize("spec_id", SPECS)
def test_it_passes_the_gate(spec_id: str) -> None:
    folder = settings().solutions_dir / spec_id
    record.need(load_spec(settings().specs_dir / spec_id), find_solutions(folder), folder)


def test_there_are_specs() -> None:
    assert len(SPECS) >= 14
