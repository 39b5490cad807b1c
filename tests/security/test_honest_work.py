"""What students rightly do must work behind all locks: each file in honest/ leaves True in `answer`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox.base import Limits
from tests.conformance.conftest import MINI_HARNESS, SANDBOXES, TAMED, Box

WORK = {path.stem: path for path in sorted((Path(__file__).parent / "honest").glob("*.py"))}


@pytest.fixture(scope="module", params=SANDBOXES)
def usual_box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """A session with the limits a spec has by default; one for all, since importing torch takes seconds."""
    sandbox = SANDBOXES[request.param](MINI_HARNESS)
    box = Box(sandbox.open(Limits()))
    yield box
    box.session.close()
    sandbox.close()


@pytest.mark.parametrize("name", WORK)
def test_it_works_inside(usual_box: Box, name: str) -> None:
    assert usual_box.answer(TAMED + WORK[name].read_text("utf-8")) is True, usual_box.session.output()
    assert "Error" not in usual_box.session.output()


def test_there_is_enough_of_it() -> None:
    assert len(WORK) >= 5
