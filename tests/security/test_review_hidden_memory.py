"""Memory that no process's own figures show must still count against the limit, or not be had at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder.errors import SandboxStopped
from autograder.model import Verdict
from tests.conformance.conftest import Box

BACKLOG = """
import socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind("/work/s")
listener.listen(4096)
sent, piece = 0, bytes(1 << 17)
for _ in range(2000):
    client = socket.socket(socket.AF_UNIX)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    client.connect("/work/s")
    client.setblocking(False)
    try:
        while sent < 512 << 20:
            sent += client.send(piece)
    except BlockingIOError:
        pass
    client.close()  # what it sent stays, unread, behind a connection that nobody accepts
    if sent >= 512 << 20:
        break
time.sleep(3)
answer = sent
"""

ENDED_FIRST_THREADS = """
import ctypes, os, threading, time
call = ctypes.CDLL(None).syscall
def eat():
    time.sleep(0.1)
    keep = [bytearray(b"x") * (10 << 20) for _ in range(15)]
    time.sleep(3)
    os._exit(0)
for _ in range(4):
    if os.fork() == 0:
        threading.Thread(target=eat).start()
        call(60, 0)  # this thread alone; the process is shown without memory from here on
time.sleep(4)
answer = 600 << 20
"""

PAGE_TABLES = """
import mmap, os, time
size = 4 << 30
pages = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ)
pages.madvise(15)  # no huge pages
for _ in range(28):
    if os.fork() == 0:
        for at in range(0, size, 2 << 20):
            pages[at]  # the page of zeros, which is free; what it takes to find it is not: 8 MB in each process
        time.sleep(9)
        os._exit(0)
for at in range(0, size, 2 << 20):
    pages[at]
time.sleep(4)
answer = 232 << 20
"""

DROPPED_PAGES = """
import mmap, os, time
size, file = 300 << 20, given()
pages = mmap.mmap(file, size, mmap.MAP_SHARED | (mmap.MAP_ANONYMOUS if file < 0 else 0))
for at in range(0, size, 4 << 20):
    pages[at:at + (4 << 20)] = b"x" * (4 << 20)
    pages.madvise(mmap.MADV_DONTNEED, at, 4 << 20)  # gone from this process's figures, not from memory
time.sleep(0.5)
answer = size if pages[0] == 120 else 0
"""

PINNED_PAGES = """
import os, socket
file = os.open("/dev/shm/x", os.O_RDWR | os.O_CREAT)
os.write(file, bytes(1 << 20))
one, other = socket.socketpair()
sent = os.{call}
os.ftruncate(file, 0)  # the page is no longer the file's, but it is still there
answer = sent
"""


@pytest.mark.alone
@pytest.mark.parametrize(
    "code", [BACKLOG, ENDED_FIRST_THREADS, PAGE_TABLES], ids=["backlog", "ended first threads", "page tables"]
)
def test_it_counts(open_box: Callable[..., Box], code: str) -> None:
    assert open_box(memory_mb=200).stopped(code).verdict is Verdict.OUT_OF_MEMORY


@pytest.mark.parametrize("file", ["-1", "os.open('/dev/zero', os.O_RDWR)"])
def test_nameless_shared_maps_cannot_be_made(box: Box, file: str) -> None:
    code = DROPPED_PAGES.replace("given()", file)
    assert box.payload(code)["error"]["type"] in ("PermissionError", "FileNotFoundError")


@pytest.mark.parametrize("call", ["sendfile(one.fileno(), file, 0, 1)", "splice(file, os.pipe()[1], 1)"])
def test_pages_cannot_be_pinned_behind_a_socket(box: Box, call: str) -> None:
    try:
        payload = box.payload(PINNED_PAGES.replace("{call}", call))
    except SandboxStopped as stopped:
        pytest.fail(stopped.message)
    assert payload["error"]["type"] == "PermissionError", payload


def test_files_are_still_copied(box: Box) -> None:
    code = (
        "import shutil; open('/work/a', 'wb').write(bytes(1 << 20)); shutil.copyfile('/work/a', '/work/b')\n"
        "answer = open('/work/b', 'rb').read() == bytes(1 << 20)"
    )
    assert box.answer(code) is True


SLOW_LOOKS = """
import mmap, os, signal, time
shared = mmap.mmap(-1, 180 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared.madvise(15)  # no huge pages: each page has to be looked at
for at in range(0, len(shared), 4096): shared[at] = 1
for _ in range(28):
    if os.fork() == 0: signal.pause()
time.sleep(1.5)
grow = []
for _ in range(8):
    grow.append(b"x" * (100 << 20))
    os.write(1, b"another 100 MB\\n")
time.sleep(2)
"""


@pytest.mark.alone
def test_making_its_looks_slow_buys_no_memory(box: Box) -> None:
    assert box.stopped(SLOW_LOOKS).verdict is Verdict.OUT_OF_MEMORY
    box.session.close()
    assert box.session.output().count("another") <= 3
