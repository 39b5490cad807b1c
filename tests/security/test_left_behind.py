"""What one session leaves must not reach another: not the next one of the same server, nor one at the same time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Box

OpenBox = Callable[..., Box]

# What is left, and how somebody would find it; finding gives something true in the session that left it.
LEFT: dict[str, tuple[str, str]] = {
    "an attribute of a module": ("import json; json.planted = 1", "import json; answer = hasattr(json, 'planted')"),
    "a module": ("import sys, types; sys.modules['planted'] = types", "import sys; answer = 'planted' in sys.modules"),
    "a built-in function": (
        "import builtins; builtins.planted = 1",
        "import builtins; answer = hasattr(builtins, 'planted')",
    ),
    "an import hook": ("import sys; sys.meta_path.append(print)", "import sys; answer = print in sys.meta_path"),
    "an import path": ("import sys; sys.path.insert(0, '/planted')", "import sys; answer = '/planted' in sys.path"),
    "an environment variable": (
        "import os; os.environ['PLANTED'] = '1'",
        "import os; answer = 'PLANTED' in os.environ",
    ),
    "an exit handler": (
        "import atexit; atexit.register(print, 'planted')",
        "import atexit; answer = atexit._ncallbacks() > 0",
    ),
    "a signal handler": (
        "import signal; signal.signal(signal.SIGUSR1, lambda *_: None)",
        "import signal; answer = callable(signal.getsignal(signal.SIGUSR1))",
    ),
    "an open file": (
        "import os; os.dup2(os.open('/work/left', os.O_CREAT | os.O_RDWR), 9)",
        "import os; answer = os.path.exists('/proc/self/fd/9')",
    ),
    "a file in every folder": (
        "for f in ('/work', '/tmp', '/dev/shm'): open(f + '/left', 'w').write('x')",
        "import os; answer = any(os.path.exists(f + '/left') for f in ('/work', '/tmp', '/dev/shm'))",
    ),
    "the work folder": ("import os; os.mkdir('x'); os.chdir('x')", "import os; answer = os.getcwd() != '/work'"),
    "a mask": ("import os; os.umask(0)", "import os; answer = os.umask(0o77) == 0"),
    "a priority": ("import os; os.nice(5)", "import os; answer = os.nice(0) >= 5"),
    "a limit": (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (77, 77))",
        "import resource; answer = resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 77",
    ),
    "an abstract socket": (
        "import socket; keep = socket.socket(socket.AF_UNIX); keep.bind('\\0planted'); keep.listen(); request['keep'] = keep\n"
        "import builtins; builtins.keep = keep",
        "answer = 'planted' in open('/proc/net/unix').read()",
    ),
    "a named semaphore": (
        "from multiprocessing import shared_memory as s, resource_tracker\n"
        "import builtins; builtins.keep = s.SharedMemory('planted', create=True, size=10)",
        "import os; answer = os.path.exists('/dev/shm/planted')",
    ),
    "random numbers": (
        "import random; random.seed(77)",
        "import random; answer = round(random.random(), 6) == 0.351785",
    ),
    "a recursion limit": (
        "import sys; sys.setrecursionlimit(77777)",
        "import sys; answer = sys.getrecursionlimit() == 77777",
    ),
    "a trace function": (
        "import sys, threading; threading.settrace(print)",
        "import threading; answer = threading.gettrace() is not None",
    ),
    "a codec": (
        "import codecs; codecs.register(lambda name: codecs.lookup('utf-8') if name == 'planted' else None)",
        "import codecs\ntry: answer = bool(codecs.lookup('planted'))\nexcept LookupError: answer = False",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_nothing_reaches_the_next_session_or_one_at_the_same_time(open_box: OpenBox, name: str) -> None:
    leave, look = LEFT[name]
    beside = open_box()
    first = open_box()
    first.answer(leave)
    if name == "random numbers":
        leave_again = "import random; answer = round(random.Random(77).random(), 6)"
        look = f"import random; answer = round(random.random(), 6) == {first.answer(leave_again)}"
    assert first.answer(look), "the control: who left it finds it"
    assert not beside.answer(look)
    first.session.close()
    assert not open_box().answer(look)


def test_a_word_in_memory_is_not_in_the_next_session(open_box: OpenBox) -> None:
    # Fresh memory of a process must be empty, whatever a session before it filled it with.
    open_box().answer("import builtins; builtins.keep = [b'left-in-memory' * 1000 for _ in range(1000)]")
    look = "import mmap; answer = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)[:].count(b'left-in-memory')"
    assert open_box().answer(look) == 0


def test_sessions_do_not_share_numbers_meant_to_be_secret(open_box: OpenBox) -> None:
    look = "import os, random, secrets; answer = [secrets.token_hex(8), random.random(), os.urandom(8).hex()]"
    one, two = open_box().answer(look), open_box().answer(look)
    assert not set(map(str, one)) & set(map(str, two))
