"""How tests are spread over processes."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_the_process_that_hands_tests_out_knows_their_groups(request: pytest.FixtureRequest) -> None:
    """It knows names alone, so a group stands at the end of each."""
    assert request.node.nodeid.endswith("@tests/unit/test_spread.py")


@pytest.mark.parametrize("spec", ["one", "other"])
def test_values_that_make_fixtures_stand_in_the_group(request: pytest.FixtureRequest, spec: str) -> None:
    assert [mark.args for mark in request.node.iter_markers("xdist_group")] == [(f"tests/unit/test_spread.py-{spec}",)]
