"""What is fuzzed: the judge's reader, fed with any bytes, must end in a message or in one of its own refusals."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.errors import ProtocolError
from autograder.sandbox import wire
from autograder.sandbox.base import Message

FRAME_BYTES, TOTAL_BYTES = 1 << 16, 1 << 17
_REFUSALS = (ProtocolError, wire.ChannelClosed, TimeoutError)
_LONGEST = 100_000  # what a socket's buffer surely takes, so that nobody has to read at the same time
_SLOW_S = 2.0


class Finding(AssertionError):
    """The reader did something it must not do."""


def feed(data: bytes) -> list[Message]:
    """The messages read from these bytes until the first refusal. Raises Finding.

    The first byte chooses: even, the rest is sent as it is; odd, the rest is a header and a body parted by a zero byte,
    sent with a prefix that is right, so that a fuzzer need not find lengths out by chance.
    """
    ours, theirs = socket.socketpair()
    begun, found = time.monotonic(), []
    with ours, theirs:
        theirs.sendall(_stream(data)[:_LONGEST])
        theirs.shutdown(socket.SHUT_WR)
        channel = wire.Channel(ours, FRAME_BYTES, TOTAL_BYTES)
        try:
            while True:
                found.append(channel.read(begun + 5))
                _inspect(found[-1])
        except _REFUSALS:
            pass
        except Exception as slip:
            raise Finding(f"{type(slip).__name__} instead of a refusal") from slip
    if channel.received > TOTAL_BYTES:
        raise Finding("more was read than is allowed")
    if time.monotonic() - begun > _SLOW_S:
        raise Finding("it took too long")
    return found


def _stream(data: bytes) -> bytes:
    if not data or data[0] % 2 == 0:
        return data[1:]
    header, _, body = data[1:].partition(b"\0")
    return wire.PREFIX.pack(wire.MAGIC, len(header), len(body)) + header + body


def _inspect(message: Message) -> None:
    """A message must be what base.py promises, with no array larger than a frame."""
    if message.type not in ("event", "response") or type(message.id) is not int:
        raise Finding("neither event nor response")
    if message.type == "response" and message.payload["status"] == "error":
        error = message.payload["error"]
        if any(not isinstance(error[key], str) for key in ("kind", "type", "message", "where", "trace")):
            raise Finding("an error whose words are no text")
    _walk(message.payload, 0)


def _walk(value: Any, depth: int) -> None:
    if depth > wire.MAX_DEPTH + 1:
        raise Finding("nested too deeply")
    if isinstance(value, np.ndarray):
        if value.nbytes > FRAME_BYTES or value.dtype.name not in wire.DTYPES:
            raise Finding("an array that can't have come")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Finding("a key that is no text")
            _walk(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, depth + 1)
    elif isinstance(value, str):
        if "\0" in value:
            raise Finding("text that no database stores")
        value.encode()
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise Finding("a number beyond 64 bits")


def seeds() -> list[bytes]:
    """Inputs to start from: honest frames, and one of each kind of lie."""
    ok: dict[str, Any] = {"type": "response", "id": 1, "status": "ok", "result": {}, "arrays": []}
    event = {"type": "event", "id": 2, "event": "epoch", "outputs": {"test": {"$array": 0}}, "seconds": 1.5}
    one = [{"dtype": "float32", "shape": [2, 1]}]
    error = {"kind": "exception", "type": "E", "message": "m", "where": "cell 1, line 2", "trace": "t"}
    headers: list[tuple[Any, bytes]] = [
        (ok, b""),
        ({**ok, "result": {"v": {"$array": 0}}, "arrays": one}, bytes(8)),
        ({**event, "arrays": one}, bytes(8)),
        ({**event, "arrays": [{"dtype": "bool", "shape": [0, 2**40]}]}, b""),
        ({**event, "arrays": [{"dtype": "object", "shape": [-1]}]}, b""),
        ({"type": "response", "id": 1, "status": "error", "error": error, "arrays": []}, b""),
        ({**ok, "result": {"n": float("nan"), "i": float("-inf"), "big": 10**30, "t": "\ud800\0"}}, b""),
        ({**ok, "result": {"v": [{"$array": 0}, {"$array": 0}]}, "arrays": one}, bytes(8)),
        ({**ok, "result": {"v": json.loads("[" * 31 + "]" * 31)}}, b""),
    ]
    framed = [b"\1" + json.dumps(header).encode() + b"\0" + body for header, body in headers]
    raw = [b"\0" + _stream(frame) for frame in framed]
    twice = b"\0" + _stream(framed[0]) * 3
    lies = [
        b'\1{"type":"event","type":"event","id":0,"event":"x","arrays":[]}',
        b'\1{"NaN":NaN,"arrays":[],"type":"event","id":1e0,"event":"x"}',
        b"\1" + b'{"arrays":[],"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\0" + wire.PREFIX.pack(wire.MAGIC, 2**32 - 1, 2**64 - 1),
        b"\0" + wire.PREFIX.pack(wire.MAGIC, 100, 0) + b"short",
    ]
    return [*framed, *raw, twice, *lies]


def mutations(count: int, seed: int) -> Iterator[bytes]:
    """Seeds changed at random, the same for the same arguments: what tests run without a fuzzer."""
    rng = random.Random(seed)
    pool = seeds()
    words = [b"$array", b"1e999", b"-1", b"NaN", b"[]", b"{}", b"null", b'"id"', b"\\ud800", b"9" * 30, b"true", b"\0"]
    for _ in range(count):
        data = bytearray(rng.choice(pool))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data) + 1)
            kind = rng.randrange(5)
            if kind == 0:
                data[at:at] = rng.choice(words)
            elif kind == 1 and at < len(data):
                data[at] = rng.randrange(256)
            elif kind == 2:
                del data[at : at + rng.randint(1, 20)]
            elif kind == 3:
                other = rng.choice(pool)
                data[at:at] = other[rng.randrange(len(other)) :][:60]
            else:
                data[at : at + 4] = data[rng.randrange(len(data) + 1) :][:4]
        yield bytes(data)
