"""The harness's side of the wire: frames of a JSON header and raw array buffers (docs/wire.md). Strict both ways."""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"AGW1"
MAX_HEADER = 1 << 20
MAX_ARRAYS = 4096
MAX_DIMENSIONS = 8
MAX_DEPTH = 32
MAX_BODY = 1 << 33
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64")

Array = np.ndarray[Any, Any]

_PREFIX = struct.Struct("<4sIQ")
# Student code may replace names in these modules; the wire keeps the functions it started with.
_dumps, _loads, _asarray, _frombuffer, _dtype, _ndarray = (
    json.dumps,
    json.loads,
    np.asarray,
    np.frombuffer,
    np.dtype,
    np.ndarray,
)


class WireError(Exception):
    """A frame that breaks the wire format, or a message that can't be put into one."""


class _Packer:
    """Turns a tree into JSON, collecting its arrays."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []

    def pack(self, value: Any, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise WireError(f"nested deeper than {MAX_DEPTH} levels")
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            if not -(1 << 63) <= value < 1 << 64:
                raise WireError("an integer beyond 64 bits")
            return int(value)
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode("utf-8")
        if isinstance(value, bytes | bytearray | memoryview):
            return self._array(_frombuffer(bytes(value), dtype=np.uint8))
        if isinstance(value, _ndarray):
            return self._array(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return [self.pack(item, depth + 1) for item in value]
        raise WireError(f"{type(value).__name__} can't travel")

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        packed = {}
        for key, item in value.items():
            if not isinstance(key, str) or key == "$array":
                raise WireError("keys must be text other than $array")
            packed[self.pack(key)] = self.pack(item, depth + 1)
        return packed

    def _array(self, array: Array) -> dict[str, int]:
        if array.dtype.name not in DTYPES or array.ndim > MAX_DIMENSIONS:
            raise WireError(f"an array of {array.dtype} with {array.ndim} dimensions can't travel")
        if len(self.arrays) == MAX_ARRAYS:
            raise WireError(f"more than {MAX_ARRAYS} arrays")
        self.arrays.append(_asarray(array, dtype=array.dtype.newbyteorder("<"), order="C"))
        return {"$array": len(self.arrays) - 1}


def encode(message: Mapping[str, Any]) -> list[bytes | memoryview]:
    """One frame as buffers to be sent in order.

    message: a tree of dicts, lists, str, int, float, bool, None, bytes and numpy arrays, without a key `arrays` at
    the top. Raises WireError.
    """
    if "arrays" in message:
        raise WireError("`arrays` is the header's own key")
    packer = _Packer()
    header = packer.pack(message)
    header["arrays"] = [{"dtype": a.dtype.name, "shape": list(a.shape)} for a in packer.arrays]
    text = _dumps(header).encode("utf-8")
    if len(text) > MAX_HEADER:
        raise WireError(f"the header would be larger than {MAX_HEADER} bytes; send numbers as arrays, not lists")
    buffers: list[bytes | memoryview] = [a.reshape(-1).view(np.uint8).data for a in packer.arrays if a.size]
    size = sum(a.nbytes for a in packer.arrays)
    return [_PREFIX.pack(MAGIC, len(text), size) + text, *buffers]


def decode(header: bytes | bytearray, body: bytes | bytearray) -> dict[str, Any]:
    """The message of a frame, with its arrays in place (fresh, writable copies). Raises WireError."""
    try:
        tree = _loads(bytes(header).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("the header is no JSON") from error
    if not isinstance(tree, dict) or not isinstance(tree.get("arrays"), list):
        raise WireError("the header must be an object with a list `arrays`")
    arrays = _read_arrays(tree.pop("arrays"), body)
    used: set[int] = set()
    message = _unpack(tree, arrays, used, 0)
    if len(used) != len(arrays):
        raise WireError("an array is used nowhere")
    assert isinstance(message, dict)
    return message


def _read_arrays(listed: list[Any], body: bytes | bytearray) -> list[Array]:
    if len(listed) > MAX_ARRAYS:
        raise WireError(f"more than {MAX_ARRAYS} arrays")
    arrays, start = [], 0
    for entry in listed:
        dtype, shape = _checked(entry)
        count = math.prod(shape)
        end = start + count * dtype.itemsize
        if end > len(body):
            raise WireError("the arrays are larger than the body")
        flat = _frombuffer(body, dtype=dtype, count=count, offset=start) if count else np.empty(0, dtype)
        try:
            arrays.append(flat.reshape(shape).astype(dtype.newbyteorder("=")))
        except ValueError as error:
            raise WireError("a shape that no array can have") from error
        start = end
    if start != len(body):
        raise WireError("the arrays are smaller than the body")
    return arrays


def _checked(entry: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape"} or entry["dtype"] not in DTYPES:
        raise WireError("an array entry must hold a known dtype and a shape")
    shape = entry["shape"]
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError(f"a shape is a list of at most {MAX_DIMENSIONS} numbers")
    if any(type(n) is not int or n < 0 for n in shape):
        raise WireError("a shape holds whole numbers from 0")
    return _dtype(entry["dtype"]).newbyteorder("<"), tuple(shape)


def _unpack(value: Any, arrays: list[Array], used: set[int], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_unpack(item, arrays, used, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if "$array" not in value:
        return {key: _unpack(item, arrays, used, depth + 1) for key, item in value.items()}
    index = value["$array"]
    if len(value) != 1 or type(index) is not int or not 0 <= index < len(arrays) or index in used:
        raise WireError("a wrong reference to an array")
    used.add(index)
    return arrays[index]


class Connection:
    """A stream socket that carries frames."""

    def __init__(self, stream: socket.socket, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._stream = stream
        self._send, self._receive = stream.sendall, stream.recv_into

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Raises WireError before a byte is sent, OSError when the other side is gone."""
        for buffer in encode(message):
            self._send(buffer)

    def receive(self) -> dict[str, Any] | None:
        """The next message, or None when the other side has closed. Raises WireError, OSError."""
        prefix = self._read(_PREFIX.size, at_start=True)
        if prefix is None:
            return None
        magic, header_size, body_size = _PREFIX.unpack(prefix)
        if magic != MAGIC or header_size > MAX_HEADER or body_size > self._max_body:
            raise WireError("no frame, or one that is too large")
        header, body = self._read(header_size), self._read(body_size)
        assert header is not None
        assert body is not None
        return decode(header, body)

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def _read(self, size: int, at_start: bool = False) -> bytearray | None:
        buffer = bytearray(size)
        view, have = memoryview(buffer), 0
        while have < size:
            got = self._receive(view[have:])
            if not got and at_start and not have:
                return None
            if not got:
                raise WireError("the stream ended inside a frame")
            have += got
        return buffer
