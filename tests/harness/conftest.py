"""Fixtures: a warm server for the session, a fresh harness process for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.harness.client import Harness, WarmServer


@pytest.fixture(scope="session")
def warm_server() -> Iterator[WarmServer]:
    """One process that forks harnesses."""
    server = WarmServer()
    yield server
    server.close()


@pytest.fixture
def harness(warm_server: WarmServer) -> Iterator[Harness]:
    """A harness in which nothing is loaded yet."""
    with closing(Harness(warm_server)) as started:
        yield started
