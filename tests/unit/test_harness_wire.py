"""The harness's end of the wire: what it sends can be read back, and nonsense is refused."""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire import DTYPES, MAGIC, MAX_HEADER, Connection, WireError, decode, encode


def frame(header: Any, body: bytes = b"") -> dict[str, Any]:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return decode(text, body)


def there_and_back(message: dict[str, Any]) -> dict[str, Any]:
    data = b"".join(bytes(part) for part in encode(message))
    magic, size, body = struct.unpack("<4sIQ", data[:16])
    assert magic == MAGIC
    assert len(data) == 16 + size + body
    return decode(data[16 : 16 + size], data[16 + size :])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 1)])
def test_arrays_of_every_dtype_and_shape_come_back_equal(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = there_and_back({"x": [array, {"y": array}]})
    for found in (back["x"][0], back["x"][1]["y"]):
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        np.testing.assert_array_equal(found, array)
        assert found.flags.writeable


def test_arrays_in_any_memory_layout_are_sent_in_c_order() -> None:
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    for view in (array.T, array[:, ::2], np.asfortranarray(array), array.astype(">i4")):
        np.testing.assert_array_equal(there_and_back({"x": view})["x"], view)


def test_bytes_travel_as_uint8() -> None:
    back = there_and_back({"x": b"\x00\xff", "y": b""})
    assert back["x"].tobytes() == b"\x00\xff"
    assert back["x"].dtype == np.uint8
    assert back["y"].shape == (0,)


trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text().filter(lambda k: k != "$array"), inner),
    max_leaves=20,
)


@given(trees)
def test_trees_come_back_equal(value: Any) -> None:
    message = {"value": value}
    assert there_and_back(message) == json.loads(json.dumps(message).encode("utf-8", "replace"))


def test_non_finite_numbers_come_back() -> None:
    back = there_and_back({"x": [float("nan"), float("inf"), float("-inf")]})
    assert str(back["x"]) == "[nan, inf, -inf]"


def test_lone_surrogates_are_replaced() -> None:
    assert there_and_back({"x": "a\ud800b"}) == {"x": "a?b"}


@pytest.mark.parametrize(
    "message",
    [
        {"x": object()},
        {"x": 1j},
        {"x": {1: 2}},
        {"x": {"$array": 0}},
        {"arrays": []},
        {"x": np.zeros(2, np.complex64)},
        {"x": np.array(["a"])},
        {"x": np.zeros(2, object)},
        {"x": np.zeros([1] * 9)},
        {"x": 1 << 70},
        {"x": "a" * (MAX_HEADER + 1)},
        {"x": [np.zeros(1)] * 4097},
    ],
)
def test_what_cannot_travel_is_refused_before_sending(message: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        encode(message)


def test_deep_nesting_is_refused_both_ways() -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    with pytest.raises(WireError, match="32"):
        encode({"x": deep})
    with pytest.raises(WireError):
        frame({"x": deep, "arrays": []})
    with pytest.raises(WireError):
        frame(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b',"arrays":[]}')


FLOAT2 = {"dtype": "float32", "shape": [2]}


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"\xff", b""),
        (b"[]", b""),
        ({"x": 1}, b""),
        ({"arrays": {}}, b""),
        ({"arrays": [FLOAT2]}, b"\0" * 8),
        ({"x": {"$array": 0}, "arrays": [FLOAT2]}, b"\0" * 7),
        ({"x": {"$array": 0}, "arrays": [FLOAT2]}, b"\0" * 9),
        ({"x": {"$array": 1}, "arrays": [FLOAT2]}, b"\0" * 8),
        ({"x": {"$array": True}, "arrays": [FLOAT2, FLOAT2]}, b"\0" * 16),
        ({"x": {"$array": 0, "y": 1}, "arrays": [FLOAT2]}, b"\0" * 8),
        ({"x": [{"$array": 0}, {"$array": 0}], "arrays": [FLOAT2]}, b"\0" * 8),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "object", "shape": [1]}]}, b"\0" * 8),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [-1]}]}, b""),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [True]}]}, b"\0" * 4),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [1] * 9}]}, b"\0" * 4),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [2**62, 2**62]}]}, b"\0" * 4),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [0, 2**62, 2**62]}]}, b""),
        ({"x": {"$array": 0}, "arrays": [{"dtype": "float32", "shape": [2], "more": 1}]}, b"\0" * 8),
    ],
)
def test_broken_frames_are_refused(header: Any, body: bytes) -> None:
    with pytest.raises(WireError):
        frame(header, body)


@pytest.fixture
def pair() -> Any:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        yield mine, theirs


def test_a_connection_carries_frames_larger_than_the_socket_buffer(pair: Any) -> None:
    mine, theirs = pair
    array = np.arange(1_000_000)
    sender = threading.Thread(target=Connection(mine).send, args=({"x": array},))
    sender.start()
    message = Connection(theirs).receive()
    sender.join()
    assert message is not None
    np.testing.assert_array_equal(message["x"], array)


def test_a_closed_stream_is_an_end_but_a_cut_frame_is_an_error(pair: Any) -> None:
    mine, theirs = pair
    mine.sendall(b"AGW1\x05")
    mine.close()
    with pytest.raises(WireError, match="inside a frame"):
        Connection(theirs).receive()
    assert Connection(theirs).receive() is None


@pytest.mark.parametrize(
    "prefix",
    [
        struct.pack("<4sIQ", b"AGW2", 2, 0),
        struct.pack("<4sIQ", MAGIC, MAX_HEADER + 1, 0),
        struct.pack("<4sIQ", MAGIC, 2, 1 << 60),
    ],
)
def test_a_wrong_prefix_is_refused_without_reading_on(pair: Any, prefix: bytes) -> None:
    mine, theirs = pair
    mine.sendall(prefix)
    with pytest.raises(WireError):
        Connection(theirs).receive()
