"""Answers that made the judge itself fail, which is our fault, is refunded and so gave as many gradings as wanted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autograder.checks._trees import plain_array
from autograder.checks.base import Context
from autograder.checks.measures import looks_squashed
from autograder.checks.registry import all_checks
from autograder.errors import PolicyRefused, ProtocolError, UploadRefused
from autograder.intake import unpack
from autograder.model import Observation, Verdict
from autograder.sandbox.wire import MAX_EMPTY, parse_header
from autograder.services import jobs
from autograder.specs.dataset import Case
from autograder.storage.submissions import MOST_REFUNDS
from tests.factories import hand_in, make_class


def header(*shape: int) -> bytes:
    """A header that announces one array of that shape."""
    return json.dumps({"arrays": [{"dtype": "uint8", "shape": shape}]}).encode()


def test_an_empty_array_of_a_huge_shape_is_refused() -> None:
    for shape in ((1 << 46, 0), (0, 1 << 25), (1 << 13, 1 << 12, 0)):
        with pytest.raises(ProtocolError, match="too large"):
            parse_header(header(*shape), 0)
    assert parse_header(header(MAX_EMPTY, 0), 0)[1][0].shape == (MAX_EMPTY, 0)


def test_an_empty_array_costs_no_memory_to_compare() -> None:
    huge = np.empty(0, np.uint8).reshape(1 << 46, 0)
    plain = plain_array(huge)
    assert plain is not None
    assert plain.shape == huge.shape
    allclose = all_checks()["allclose"]
    context = Context(cases={"cases": (Case((1,), expected=["a", "b"]),)})
    observation = Observation("calls", {"cases": "cases", "answers": [{"value": [huge]}]})
    assert allclose.judge(observation, context, allclose.Params()).verdict is Verdict.FAILED


def test_scores_too_small_to_square_are_no_fault() -> None:
    assert looks_squashed(np.full((8, 3), 1e-200)) == ""


def refusal_after(count: int, **policy: int) -> PolicyRefused:
    """How the attempt is refused that follows upon `count` faults of ours."""
    group = make_class(**policy)
    for _ in range(count):
        hand_in(group.students[0], group)
        claimed = jobs.claim("cpu", "w1")
        assert claimed is not None
        jobs.fail(claimed, "a check failed", final=True)
    with pytest.raises(PolicyRefused) as refusal:
        hand_in(group.students[0], group)
    assert hand_in(group.students[1], group).attempt == 1, "the others lose nothing"
    return refusal.value


def test_faults_give_only_so_many_attempts_for_nothing(database: str) -> None:
    assert refusal_after(MOST_REFUNDS + 1, cooldown_s=60).code == "cooldown"


def test_faults_beyond_these_are_attempts(database: str) -> None:
    assert refusal_after(MOST_REFUNDS + 2, max_attempts=2).code == "attempts_used_up"


def is_taken(name: str, data: bytes, frames: int) -> bool:
    """Whether an upload is taken where so much of the stack is in use."""
    if frames:
        return is_taken(name, data, frames - 1)
    try:
        unpack(name, data)
    except UploadRefused:
        return False
    return True


@pytest.mark.parametrize("levels", [100, *range(900, 1000, 10), *range(2700, 3000, 30)])
def test_what_the_web_process_takes_no_worker_refuses(levels: int) -> None:
    chain = b"x = a" + b".b" * levels + b"\n"
    nested = (
        b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "metadata": ' + b"[" * levels + b"]" * levels + b"}"
    )
    for name, data in (("work.py", chain), ("work.ipynb", nested)):
        assert is_taken(name, data, 10) == is_taken(name, data, 100)
