"""Answers of a few bytes, or of one byte a number, that took the judge gigabytes to look at."""

from __future__ import annotations

import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Array, Check, Context
from autograder.config import settings
from autograder.errors import ProtocolError
from autograder.model import Observation, Outcome, Verdict
from autograder.sandbox import wire
from autograder.specs.dataset import Case
from autograder.specs.loader import load_spec

MIB = 1 << 20
NAMES = tuple(f"architecture {i}" for i in (1, 2, 3, 4))


@contextmanager
def megabytes_of_work(most: float) -> Iterator[None]:
    """No more memory than that at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most * MIB
    finally:
        tracemalloc.stop()


def own(spec_id: str, kind: str) -> tuple[Check, Any]:
    """A check type of a spec's own, with the parameters that the spec gives it."""
    loaded = load_spec(settings().specs_dir / spec_id)
    found = next(check for check in loaded.checks if check.spec.type == kind)
    return found.check, found.params_for("standin")


@pytest.mark.parametrize(
    "matrix",
    [np.empty((12_000_000, 0), np.uint8), np.zeros((15_000_000, 1), np.uint8), np.zeros((10, 1_000_000), np.uint8)],
    ids=["no columns", "one column", "long rows"],
)
def test_a_matrix_of_too_many_cells_is_told_by_its_lengths(matrix: Array) -> None:
    confusion: dict[str, Any] = dict.fromkeys(NAMES, [[1] * 10] * 10)
    observation = Observation("call", {"value": confusion | {NAMES[0]: matrix}})
    for kind, seen, also in (
        ("test_matrices", observation, {}),
        ("own_table", Observation("call", {"value": {}}), {"confusion": observation}),
        ("own_best", Observation("calls", {"answers": []}), {"confusion": observation}),
    ):
        check, params = own("ccds-compare", kind)
        with megabytes_of_work(2):
            outcome = check.judge(seen, Context(also=also), params)
        assert outcome.verdict is Verdict.FAILED


@pytest.mark.parametrize("after", [np.empty((1 << 24, 0)), np.zeros((3, 1 << 20), np.uint8), np.zeros(1 << 22)])
def test_an_argument_that_comes_back_larger_was_not_kept(after: Array) -> None:
    check = registry.all_checks()["arguments_kept"]
    context = Context(cases={"cases": (Case(([1, 2, 3],)),)})
    observation = Observation("calls", {"cases": "cases", "answers": [{"value": 1, "arguments": [after]}]})
    with megabytes_of_work(2):
        outcome = check.judge(observation, context, check.Params())
    assert outcome.message == "A call changed its argument number 1."


def judged(kind: str, values: dict[str, Any]) -> Outcome:
    check = registry.all_checks()[kind]
    return check.judge(Observation("forward", values), Context(), check.Params())


def test_many_arrays_of_flags_are_looked_at_one_by_one() -> None:
    many = [np.ones(1 << 20, bool)] * 40
    with megabytes_of_work(80):
        assert judged("finite", {"outputs": many}).verdict is Verdict.PASSED
        judged("batch_independence", {"outputs": many, "single": many[:1]})


def frame(value: str) -> bytes:
    """An event with that value, as JSON."""
    header = f'{{"type":"event","id":1,"event":"answer","value":{value},"arrays":[]}}'.encode()
    return struct.pack("<4sIQ", b"AGW1", len(header), 0) + header


def read_and_kept(sent: bytes, most: int) -> int:
    """How many frames of one session were read before one was refused; as the judge does, all are kept."""
    ours, theirs = socket.socketpair()
    kept = []
    with ours, theirs:
        channel = wire.Channel(ours, 64 * MIB, 512 * MIB)
        sender = threading.Thread(target=_send, args=(theirs, sent * most))
        sender.start()
        try:
            with suppress(ProtocolError):
                while len(kept) < most:
                    kept.append(channel.read(time.monotonic() + 20))
        finally:
            ours.close()
            sender.join()
    return len(kept)


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
    except OSError:  # the judge has hung up
        return


@pytest.mark.parametrize(("part", "most"), [("{}", 0), ("[[]]", 0), ('"ab"', 19), ("1", 7)])
def test_headers_of_many_parts_are_not_kept_one_after_the_other(part: str, most: int) -> None:
    many = f"[{','.join([part] * (1_048_000 // (len(part) + 1)))}]"
    assert read_and_kept(frame(many), most + 2) == most


def test_long_lists_of_numbers_are_read() -> None:
    assert read_and_kept(frame(str([1] * 300_000)), 5) == 5
