"""The process itself: how it starts, ends, and stands up to code that attacks it from inside."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from harness.wire import WireError
from tests.harness.client import ColdStart, Harness, WarmServer


@pytest.fixture(scope="module")
def cold() -> Iterator[tuple[Harness, ColdStart]]:
    starter = ColdStart()
    with closing(Harness(starter)) as started:
        yield started, starter
    assert starter.processes[0].wait(timeout=30) == 0


def test_a_cold_start_says_ready_with_its_versions_and_serves(cold: tuple[Harness, ColdStart]) -> None:
    harness, _ = cold
    assert harness.ready is not None
    assert (harness.ready["type"], harness.ready["id"], harness.ready["event"]) == ("event", 0, "ready")
    assert {"python", "torch", "numpy"} <= set(harness.ready["versions"])
    harness.load("def f():\n    print('hello')\n    return 1\n")
    harness.function("f")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 1
    assert harness.output() == "hello\n"


def test_nothing_is_answered_before_something_is_loaded(harness: Harness) -> None:
    assert harness.error("resolve", entries={})["kind"] == "bad_request"
    harness.load("x = 1")
    assert "loaded already" in harness.error("load", files=[], main="x", mode="definitions")["message"]


def call(harness: Harness, source: str) -> object:
    harness.load("import os, sys, threading, time, socket\nimport numpy as np, torch\n" + source)
    harness.function("f")
    return harness.result("call", entry="f", arguments=[], keywords={})["value"]


def test_a_fork_left_behind_does_not_answer_too(harness: Harness) -> None:
    assert call(harness, "def f(): return 1 if os.fork() else 2") == 1
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 1


def test_threads_left_behind_do_not_disturb(harness: Harness) -> None:
    source = "def f():\n    threading.Thread(target=lambda: time.sleep(60), daemon=True).start()\n    return 1"
    assert call(harness, source) == 1
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 1


def test_children_do_not_inherit_the_channel(harness: Harness) -> None:
    source = "import subprocess\ndef f():\n    return subprocess.run('ls -l /proc/self/fd', shell=True, "
    source += "capture_output=True, text=True, close_fds=False).stdout"
    assert "socket" not in str(call(harness, source))


def test_tensors_reach_other_processes_without_descriptors(harness: Harness) -> None:
    # The sandbox lets none be sent: see attacks/leave_descriptors_in_flight.py.
    source = "import torch.multiprocessing as mp\ndef f():\n    return mp.get_sharing_strategy()"
    assert call(harness, source) == "file_system"


@pytest.mark.parametrize("source", ["def f(): os._exit(0)", "def f(): os.close(3)", "def f(): os.kill(os.getpid(), 9)"])
def test_a_process_that_ends_itself_ends_the_conversation(harness: Harness, source: str) -> None:
    with pytest.raises((AssertionError, WireError, OSError)) as caught:
        call(harness, source)
    assert "gone" in str(caught.value) or not isinstance(caught.value, AssertionError)


def test_exit_at_the_top_level_of_a_class_body_is_survived(harness: Harness) -> None:
    loaded = harness.load("import sys\nclass A:\n    sys.exit()\nclass B: pass\n")
    assert loaded["names"] == {"B": "class"}


def test_an_answer_too_large_for_a_header_is_an_error_not_an_end(harness: Harness) -> None:
    harness.load("def f(): return ['a' * 300_000] * 5\ndef g(): return 1\n")
    harness.function("f")
    assert harness.error("call", entry="f", arguments=[], keywords={})["kind"] == "unsupported"
    harness.function("g")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 1


def test_messages_are_cut_to_size(harness: Harness) -> None:
    harness.load("def f(): raise ValueError('long ' * 10_000 + chr(0xd800))\n")
    harness.function("f")
    error = harness.error("call", entry="f", arguments=[], keywords={})
    assert len(error["message"]) == 2000
    assert len(error["trace"]) <= 4000


def test_print_of_a_killed_process_is_not_lost(warm_server: WarmServer) -> None:
    source = "def f():\n    print('last words')\n    os._exit(1)"
    with closing(Harness(warm_server)) as harness, pytest.raises(AssertionError, match="printed:\nlast words"):
        call(harness, source)


def test_the_harness_sees_none_of_the_judges_environment(harness: Harness) -> None:
    os.environ["AUTOGRADER_TEST_SECRET"] = "do not tell"
    try:
        found = call(harness, "def f(): return dict(os.environ)")
    finally:
        del os.environ["AUTOGRADER_TEST_SECRET"]
    assert "do not tell" not in str(found)


def test_a_harness_that_spins_dies_with_whoever_started_it() -> None:
    starter = WarmServer()
    source = "def spin():\n    while True: pass\n"
    source += "def f():\n    threading.Thread(target=spin).start()\n    return os.getpid()"
    with closing(Harness(starter)) as started:
        place = Path(f"/proc/{call(started, source)}")
        assert place.exists()
        starter.kill()
        deadline = time.monotonic() + 10
        while place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not place.exists()


def test_saved_weights_can_be_read_from_the_submission(harness: Harness) -> None:
    source = "import torch\ntorch.save({'w': torch.arange(3.)}, 'w.pt')\n"
    harness.load(
        source + "def f(): return torch.load('w.pt')['w']\ndef save(): torch.save({'w': torch.arange(3.)}, 'w.pt')"
    )
    harness.function("save")
    harness.result("call", entry="f", arguments=[], keywords={})
    harness.function("f")
    np.testing.assert_array_equal(harness.result("call", entry="f", arguments=[], keywords={})["value"], [0, 1, 2])
