"""The judge's end of docs/wire.md: encodes requests, reads frames from a process that may lie about everything.

Nothing is allocated on the word of the other side: a frame's lengths are checked against the caps first, its header
against the whole grammar next, and the body grows only as bytes arrive.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.errors import ProtocolError
from autograder.sandbox.base import Array, Message

MAGIC = b"AGW1"
PREFIX = struct.Struct("<4sIQ")
MAX_HEADER = 1 << 20
MAX_ARRAYS = 4096
MAX_DIMENSIONS = 8
MAX_DEPTH = 32
# Of all headers of a session together, as the judge may keep them: a list of a character or two takes a hundred bytes.
MAX_NODES = 4_000_000
MAX_CONTAINERS = 300_000
MAX_ELEMENTS = 1 << 48  # of one array, zeros in its shape left out; far above any cap, far below an overflow
MAX_EMPTY = 1 << 24  # the same of an array without values, which no byte of a body has to bear out
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64")
}
ERROR_KINDS = (
    *("exception", "missing", "unsupported", "memory"),
    *("input", "network", "missing_package", "bad_request"),
)
_ERROR_LENGTHS = {"type": 200, "message": 2000, "where": 200, "trace": 4000}
_CHUNK = 1 << 20
_PLACE = "$array"


class FrameTooLarge(ProtocolError):
    """A frame above the session's caps."""


class ChannelClosed(Exception):
    """The other side hung up."""


def encode_request(number: int, op: str, arguments: Mapping[str, Any]) -> list[bytes | memoryview]:
    """A request as pieces to send one after the other.

    arguments: JSON-able tree of dicts with string keys, lists, tuples, str, int, float, bool, None, numpy scalars,
    arrays and bytes. Raises ProtocolError for anything else.
    """
    if taken := {"type", "id", "op", "arrays"} & set(arguments):
        raise ProtocolError(f"a request's argument can't be called {sorted(taken)[0]!r}")
    return encode({"type": "request", "id": number, "op": op, **arguments})


def encode(header: Mapping[str, Any]) -> list[bytes | memoryview]:
    """A whole frame as pieces. Raises ProtocolError for what can't travel."""
    arrays: list[Array] = []
    tree = _pack(header, arrays, 0)
    tree["arrays"] = [{"dtype": a.dtype.name, "shape": list(a.shape)} for a in arrays]
    text = json.dumps(tree, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_HEADER:
        raise ProtocolError(f"the header would be {len(text)} bytes long")
    if len(arrays) > MAX_ARRAYS:
        raise ProtocolError(f"the frame would hold {len(arrays)} arrays")
    body = [a.reshape(-1).view(np.uint8).data for a in arrays if a.size]
    return [PREFIX.pack(MAGIC, len(text), sum(len(b) for b in body)) + text, *body]


def _pack(value: Any, arrays: list[Array], depth: int) -> Any:
    if depth > MAX_DEPTH - 1:
        raise ProtocolError("nested too deeply")
    if isinstance(value, bytes | bytearray | memoryview):
        value = np.frombuffer(value, np.uint8)
    if isinstance(value, np.ndarray):
        if value.dtype.name not in DTYPES or value.ndim > MAX_DIMENSIONS:
            raise ProtocolError(f"an array of {value.dtype} with {value.ndim} dimensions can't travel")
        shape = value.shape  # ascontiguousarray turns a scalar into a row
        arrays.append(np.ascontiguousarray(value, DTYPES[value.dtype.name]).reshape(shape))
        return {_PLACE: len(arrays) - 1}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_pack(item, arrays, depth + 1) for item in value]
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) or key == _PLACE for key in value):
            raise ProtocolError("keys must be text, and none may be '$array'")
        return {key: _pack(item, arrays, depth + 1) for key, item in value.items()}
    raise ProtocolError(f"{type(value).__name__} can't travel")


@dataclass(slots=True)
class Room:
    """How many values, and lists and dicts among them, may still be unpacked."""

    nodes: int = MAX_NODES
    containers: int = MAX_CONTAINERS

    def take(self, container: list[Any] | dict[str, Any]) -> None:
        """Make room for a container and its members. Raises ProtocolError if there is none."""
        self.nodes -= len(container)
        self.containers -= 1
        if self.nodes < 0 or self.containers < 0:
            raise ProtocolError("answers of too many parts")


@dataclass
class Channel:
    """A socket with caps. `total_bytes` bounds all frames read together, prefix and header included; `room` does what
    their headers hold.
    """

    sock: socket.socket
    frame_bytes: int
    total_bytes: int
    received: int = 0
    room: Room = field(default_factory=Room)

    def send(self, pieces: list[bytes | memoryview], deadline: float) -> None:
        """Send a frame. Raises TimeoutError at the deadline (monotonic seconds), ChannelClosed."""
        for piece in pieces:
            view = memoryview(piece)
            while view:
                self._wait(deadline)
                try:
                    view = view[self.sock.send(view[:_CHUNK]) :]
                except (BrokenPipeError, ConnectionResetError) as gone:
                    raise ChannelClosed from gone

    def read(self, deadline: float) -> Message:
        """Read one frame.

        Raises TimeoutError at the deadline (monotonic seconds) however slowly bytes drip in, ChannelClosed,
        FrameTooLarge, ProtocolError.
        """
        header_length, body_length = self.check_prefix(self._take(PREFIX.size, deadline))
        header = self._take(header_length, deadline)
        try:
            fields, specs = parse_header(header, body_length)
            body = self._take(body_length, deadline)
            return build_message(fields, specs, body, self.room)
        except (TypeError, ValueError, LookupError, ArithmeticError) as slip:  # one we did not think of
            raise ProtocolError("a frame that can't be understood") from slip

    def quiet(self) -> bool:
        """True if nothing lies unread. The other side must not speak before it is asked."""
        self.sock.setblocking(False)
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return True  # the next read reports it

    def check_prefix(self, prefix: bytes | bytearray) -> tuple[int, int]:
        """(header length, body length), within the caps."""
        magic, header_length, body_length = PREFIX.unpack(prefix)
        if magic != MAGIC:
            raise ProtocolError("not a frame")
        if header_length > MAX_HEADER:
            raise ProtocolError("the header is too long")
        size = PREFIX.size + header_length + body_length
        if size > self.frame_bytes:
            raise FrameTooLarge(f"a frame of {size} bytes, where {self.frame_bytes} are allowed")
        if self.received + size > self.total_bytes:
            raise FrameTooLarge(f"more than {self.total_bytes} bytes in all")
        self.received += size
        return header_length, body_length

    def _take(self, count: int, deadline: float) -> bytearray:
        """Exactly `count` bytes; memory grows with what has arrived."""
        taken = bytearray()
        while len(taken) < count:
            self._wait(deadline)
            try:
                piece = self.sock.recv(min(_CHUNK, count - len(taken)))
            except ConnectionResetError as gone:
                raise ChannelClosed from gone
            if not piece:
                raise ChannelClosed
            taken += piece
        return taken

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One announced buffer, checked."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    count: int
    size: int


def parse_header(text: bytes | bytearray, body_length: int) -> tuple[dict[str, Any], list[ArraySpec]]:
    """The header as a dict without `arrays`, and the buffers it announces, whose sizes add up to body_length."""
    try:
        fields = json.loads(text.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_int=_integer)
    except (ValueError, RecursionError) as broken:
        raise ProtocolError("the header is no JSON") from broken
    if not isinstance(fields, dict):
        raise ProtocolError("the header is no object")
    rows = fields.pop("arrays", None)
    if not isinstance(rows, list) or len(rows) > MAX_ARRAYS:
        raise ProtocolError("no list of arrays, or too long a one")
    specs = [_array_spec(row) for row in rows]
    if sum(spec.size for spec in specs) != body_length:
        raise ProtocolError("the arrays don't fill the body")
    return fields, specs


def _array_spec(row: Any) -> ArraySpec:
    if not isinstance(row, dict) or set(row) != {"dtype", "shape"}:
        raise ProtocolError("an array needs dtype and shape, and nothing else")
    name, shape = row["dtype"], row["shape"]
    if not isinstance(name, str) or name not in DTYPES:
        raise ProtocolError("a dtype outside the list")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise ProtocolError("a shape that is none")
    count = virtual = 1
    for dimension in shape:
        if type(dimension) is not int or not 0 <= dimension <= MAX_ELEMENTS:
            raise ProtocolError("a dimension that is none")
        count *= dimension
        virtual *= max(dimension, 1)
    if virtual > (MAX_ELEMENTS if count else MAX_EMPTY):
        raise ProtocolError("an array too large to be true")
    return ArraySpec(DTYPES[name], tuple(shape), count, count * DTYPES[name].itemsize)


def build_message(fields: dict[str, Any], specs: list[ArraySpec], body: bytearray, room: Room) -> Message:
    """The message with every array in its place, each used exactly once."""
    arrays: list[Array | None] = []
    offset = 0
    for spec in specs:
        arrays.append(_array(spec, body, offset, shared=len(specs) > 1))
        offset += spec.size
    payload = _unpack(fields, arrays, 0, room)
    if any(array is not None for array in arrays):
        raise ProtocolError("an array that is not used")
    kind, number = payload.get("type"), payload.get("id")
    if kind not in ("event", "response") or type(number) is not int:
        raise ProtocolError("neither event nor response, or no id")
    if kind == "event" and not isinstance(payload.get("event"), str):
        raise ProtocolError("an event without a name")
    if kind == "response":
        _check_response(payload)
    return Message(kind, number, payload)


def _array(spec: ArraySpec, body: bytearray, offset: int, shared: bool) -> Array:
    """shared: the body holds other arrays too, and who keeps this one must not keep those."""
    flat = np.frombuffer(body, spec.dtype, spec.count, offset) if spec.count else np.empty(0, spec.dtype)
    if spec.dtype == np.bool_:
        flat = flat.view(np.uint8) != 0  # a byte of 7 is True, not seven
    if shared or not flat.flags.aligned:
        flat = flat.copy()
    return flat.reshape(spec.shape)


def _unpack(value: Any, arrays: list[Array | None], depth: int, room: Room) -> Any:
    """The tree with arrays in place; text made storable (no lone surrogates, no NUL)."""
    if depth > MAX_DEPTH:
        raise ProtocolError("nested too deeply")
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, list | dict):
        return value
    room.take(value)
    if isinstance(value, list):
        return [_unpack(item, arrays, depth + 1, room) for item in value]
    if _PLACE not in value:
        return {_text(key): _unpack(item, arrays, depth + 1, room) for key, item in value.items()}
    index = value[_PLACE]
    if len(value) != 1 or type(index) is not int or not 0 <= index < len(arrays):
        raise ProtocolError("a place for no array")
    array, arrays[index] = arrays[index], None
    if array is None:
        raise ProtocolError("an array used twice")
    return array


def _check_response(payload: dict[str, Any]) -> None:
    status = payload.get("status")
    if status == "ok" and isinstance(payload.get("result"), dict):
        return
    error = payload.get("error")
    if status != "error" or not isinstance(error, dict) or error.get("kind") not in ERROR_KINDS:
        raise ProtocolError("a response that is neither a result nor an error")
    for key, longest in _ERROR_LENGTHS.items():
        text = error.setdefault(key, "")
        if not isinstance(text, str):
            raise ProtocolError(f"an error whose {key} is no text")
        error[key] = text[:longest]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ProtocolError("a key given twice")
    return fields


def _integer(digits: str) -> int | float:
    """Integers that don't fit 64 bits arrive as floats, so that no arithmetic on them can raise OverflowError."""
    if len(digits) > 20:
        return float(digits)
    value = int(digits)
    return value if -(1 << 63) <= value < 1 << 63 else float(value)


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
