"""A session that uses too much of a graphics card is ended from outside. The card's readings are played."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.model import Verdict
from autograder.sandbox.base import Limits, Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.card import Card, Reading
from autograder.sandbox.forkserver import ForkServerSandbox
from autograder.sandbox.plain import PlainSandbox
from tests.conformance.conftest import EVERY, MINI_HARNESS, SMALL, Box, living, sleeper, wait_for
from tests.unit.test_card import MB, RecordedCard

SLEEP = "import time; time.sleep(9)"
MAKE: dict[str, Callable[[Path, Card], Sandbox]] = {
    "bubblewrap": lambda python, card: BubblewrapSandbox(python, MINI_HARNESS, card=card),
    "forkserver": lambda python, card: ForkServerSandbox(python, MINI_HARNESS, modules=(), card=card),
    "subprocess": lambda python, card: PlainSandbox(python, MINI_HARNESS, card=card),
}


@pytest.fixture
def card() -> RecordedCard:
    """An idle card."""
    return RecordedCard(Reading(500 * MB))


@pytest.fixture(params=MAKE)
def sandbox(request: pytest.FixtureRequest, card: RecordedCard) -> Iterator[Sandbox]:
    """Every implementation, with a card to watch."""
    made = MAKE[request.param](settings().runtime_python, card)
    yield made
    made.close()


def open_box(sandbox: Sandbox, limit: int | None, marker: str) -> tuple[Box, int]:
    """A session and the number, seen from here, of a process it has started."""
    box = Box(sandbox.open(Limits(**SMALL, gpu_memory_mb=limit)))
    box.answer(sleeper(marker))
    assert wait_for(lambda: len(living(marker)) == 1)
    return box, living(marker)[0]


def test_there_is_one_for_every_sandbox() -> None:
    assert set(MAKE) == set(EVERY)


def test_too_much_of_the_card_ends_the_session_in_words(sandbox: Sandbox, card: RecordedCard, marker: str) -> None:
    box, theirs = open_box(sandbox, 1000, marker)
    card.readings = [Reading(6000 * MB, {theirs: 2000 * MB, os.getpid(): 3000 * MB})]
    time.sleep(0.3)
    assert box.answer("answer = 1") == 1  # 1000 for tensors, and what the driver takes for itself
    card.readings = [Reading(6000 * MB, {theirs: 2100 * MB})]
    stopped = box.stopped(SLEEP)
    assert stopped.verdict is Verdict.OUT_OF_MEMORY
    assert "more than 1000 MB of the graphics card's memory" in stopped.message
    box.session.close()
    assert living(marker) == []


def test_without_a_limit_the_whole_card_is_theirs(sandbox: Sandbox, card: RecordedCard, marker: str) -> None:
    box, theirs = open_box(sandbox, None, marker)
    card.readings = [Reading(70_000 * MB, {theirs: 70_000 * MB})]
    time.sleep(0.3)
    assert box.answer("answer = 1") == 1
    box.session.close()
