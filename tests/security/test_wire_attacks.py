"""The wire under attack: changed frames by the thousand, headers made to swell, and lies told from inside a sandbox."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from autograder.errors import ProtocolError
from autograder.model import Verdict
from autograder.sandbox import wire
from benchmarks.wire_target import feed, mutations, seeds
from tests.conformance.conftest import Box

MIB = 1 << 20


def test_the_reader_ends_every_frame_with_a_message_or_a_refusal() -> None:
    # The same target as bin/bench fuzz_wire, which finds its way by coverage and runs longer.
    read = sum(len(feed(data)) for data in mutations(5000, seed=1))
    assert read > 100  # some are still good: the others were not refused for a reason common to all


def test_honest_seeds_are_read() -> None:
    assert sum(len(feed(data)) for data in seeds()) >= 12


SWELLING = (
    "[]",
    "{}",
    "[[]]",
    '{"a":1}',
    '"ab"',
    "-9",
    "1.5",
    "1e999",
    '"\\u4e2d"',
    '"\\ud800"',
    "12345678901234567890",
)


@pytest.mark.parametrize("unit", SWELLING)
def test_a_header_swells_by_a_known_factor_at_most(unit: str) -> None:
    tracemalloc.start()
    try:
        value = ",".join([unit] * ((MIB // 8 - 200) // (len(unit) + 1)))
        header = f'{{"type":"response","id":1,"status":"ok","arrays":[],"result":{{"v":[{value}]}}}}'.encode()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        fields, specs = wire.parse_header(header, 0)
        wire.build_message(fields, specs, bytearray(), wire.Room(containers=MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 72 * len(header)


@pytest.mark.parametrize(
    "header",
    [b'{"a":' * 100_000, b"[" * MIB, b'{"a' + b"\\u0000" * 100_000, b"9" * MIB, b"1e" + b"9" * 1000_000, b"-" * MIB],
    ids=["objects", "lists", "text", "digits", "exponent", "signs"],
)
def test_a_header_that_never_closes_costs_little_time(header: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(ProtocolError):
        wire.parse_header(header[:MIB], 0)
    assert time.process_time() - begun < 2


PREPARED = """
import struct
asked = request["id"]


def raw(text):
    channel.sendall(struct.pack("<4sIQ", b"AGW1", len(text), 0) + text)


def event(number=asked, **fields):
    say({"type": "event", "id": number, "event": "x", **fields})


def answer_with(number=asked, **fields):
    say({"type": "response", "id": number, "status": "ok", "result": {}, **fields})


def array(dtype, shape):
    listed = [{"dtype": dtype, "shape": shape}]
    say({"type": "event", "id": asked, "event": "x", "v": {"$array": 0}, "arrays": listed}, bytes(8))


"""
LIES = {
    "NaN as a key": "raw(b'{NaN: 1, \"arrays\": []}')",
    "a number as a key": "raw(b'{1: 1, \"arrays\": []}')",
    "duplicate keys": 'raw(b\'{"type":"event","type":"response","id":1,"event":"x","arrays":[]}\')',
    "nested for ever": "raw(b'[' * 500_000)",
    "nested a little too deeply": "event(v=eval('[' * 40 + ']' * 40))",
    "an array of objects": "array('object', [1])",
    "an array of text": "array('<U2', [1])",
    "a structured array": "array('f4,f4', [1])",
    "big-endian numbers": "array('>f8', [1])",
    "a negative shape": "array('uint8', [-8])",
    "negatives that cancel out": "array('uint8', [-2, -4])",
    "a shape that overflows": "array('uint8', [2**32, 2**32])",
    "a shape that is no number": "array('uint8', [None])",
    "another size than announced": "array('float64', [2])",
    "an id beyond numbers": "answer_with(2**70)",
    "a response to the question before": "answer_with(asked - 1)",
    "an event of the question after": "event(asked + 1)",
    "ready a second time": "event(0, event='ready', versions={})",
    "neither result nor error": "answer_with(result=[1])",
    "an unknown kind of error": "answer_with(status='error', error={'kind': 'x'})",
    "an event without a name": "event(event=None)",
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_ends_the_session(box: Box, name: str) -> None:
    stopped = box.stopped(PREPARED + LIES[name], 10.0)
    assert stopped.verdict is Verdict.CRASHED
    assert "can't read" in stopped.message


DRIP = """
import time
for byte in b"AGW1" + (900).to_bytes(4, "little") + bytes(8) + b" " * 900:
    channel.sendall(bytes([byte]))
    time.sleep(0.01)
"""


def test_dripping_does_not_hold_the_judge_beyond_its_deadline(box: Box) -> None:
    begun = time.monotonic()
    assert box.stopped(DRIP, wall_s=0.5).verdict is Verdict.TIMED_OUT
    assert time.monotonic() - begun < 5


HOLDERS = {
    "a copy": "import os; os.dup(3); channel.close()",
    "copies without end": "import os\nwhile True: os.dup(3)",
    "a copy sent to itself": (
        "import socket, array\na, b = socket.socketpair()\n"
        "a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [3] * 50))])\nchannel.close()"
    ),
    "a child that keeps it": "import os\nif os.fork() == 0:\n    import time; time.sleep(60)\nos._exit(0)",
}


@pytest.mark.parametrize("name", HOLDERS)
def test_copies_of_the_channel_do_not_outlive_the_deadline(box: Box, name: str) -> None:
    begun = time.monotonic()
    try:
        box.stopped(HOLDERS[name], wall_s=1.0)
    except pytest.fail.Exception:
        # It answered: too many copies is its own error, and the session is fine.
        assert box.payload("answer = 1")["status"] == "ok"
    box.session.close()
    assert time.monotonic() - begun < 12


def test_the_judge_grows_by_no_more_than_its_caps(box: Box) -> None:
    # 60 MB of true frames that nobody keeps, then one that claims to be too large.
    code = (
        "for _ in range(60): event(event='x', filler='x' * 1_000_000)\n"
        "say({'type': 'event', 'id': request['id'], 'event': 'x'}, claimed=1 << 40)"
    )
    tracemalloc.start()
    try:
        assert box.stopped(code, 10.0).verdict is Verdict.OUTPUT_LIMIT
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
