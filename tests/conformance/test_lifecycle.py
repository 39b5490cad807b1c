"""A session's life: it starts, answers, ends, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.config import settings
from autograder.errors import SandboxError, SandboxStopped, SandboxUnavailable
from autograder.model import Verdict
from autograder.sandbox.base import Limits, Message, Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.session import settle
from tests.conformance.conftest import EVERY, MINI_HARNESS, SANDBOXES, Box, gap, living, sleeper, wait_for

OpenBox = Callable[..., Box]


def test_it_answers_and_keeps_its_state(box: Box) -> None:
    assert box.session.alive
    assert box.answer("import builtins; builtins.kept = 6; answer = 7") == 7
    assert box.answer("answer = kept") == 6


def test_what_it_used_is_measured(open_box: OpenBox) -> None:
    box = open_box()
    code = "x = bytearray(50 << 20); import time; end = time.process_time() + 0.3"
    box.answer(f"{code}\nwhile time.process_time() < end: pass")
    usage = box.session.close()
    assert 0.25 <= usage.cpu_s < 3  # the kernel counts in steps of 10 ms
    assert usage.wall_s >= 0.3
    assert 50 < usage.peak_memory_mb < 256


def test_what_it_used_is_measured_in_parts(box: Box) -> None:
    box.answer("answer = 1")
    box.session.measure()
    code = "x = bytearray(60 << 20); import time; end = time.process_time() + 0.3"
    box.answer(f"{code}\nwhile time.process_time() < end: pass")
    busy = box.session.measure()
    box.answer("import time; x = None; time.sleep(0.2)")
    idle = box.session.measure()
    assert 0.25 <= busy.cpu_s < 3
    assert idle.cpu_s < 0.2
    assert busy.wall_s >= 0.3
    assert 0.2 <= idle.wall_s < busy.wall_s + 3
    assert busy.peak_memory_mb >= 60
    box.session.close()
    assert box.session.measure().cpu_s >= 0


def test_arrays_and_events_arrive(box: Box) -> None:
    seen: list[Message] = []
    code = "event(event='epoch', epoch=0); event(event='epoch', epoch=1); answer = [len(request['body'])]"
    arguments = {"code": code, "value": np.ones((2, 3), np.float32)}
    payload = box.session.request("exec", arguments, on_event=seen.append)
    assert [message.payload["epoch"] for message in seen] == [0, 1]
    assert payload["result"]["answer"] == [24]


def test_an_error_is_an_answer_not_an_end(box: Box) -> None:
    payload = box.payload("raise ValueError('no')")
    assert (payload["status"], payload["error"]["type"], payload["error"]["message"]) == ("error", "ValueError", "no")
    assert box.answer("answer = 1") == 1


def test_a_listener_that_raises_ends_the_session(box: Box) -> None:
    class Stop(Exception):
        pass

    def listen(_message: Message) -> None:
        raise Stop

    with pytest.raises(Stop):
        box.session.request("exec", {"code": "event(event='x'); import time; time.sleep(60)"}, on_event=listen)
    assert not box.session.alive


def test_a_request_that_cannot_travel_is_our_fault(box: Box) -> None:
    with pytest.raises(SandboxError):
        box.session.request("exec", {"code": object()})
    assert box.answer("answer = 1") == 1


def test_a_dead_session_says_what_it_died_of(box: Box) -> None:
    first = box.stopped("import os; os._exit(3)")
    with pytest.raises(SandboxStopped) as again:
        box.payload("answer = 1")
    assert (again.value.verdict, again.value.message) == (first.verdict, first.message)


def test_close_is_repeatable_and_final(box: Box) -> None:
    usage = box.session.close()
    assert box.session.close() == usage
    assert not box.session.alive
    with pytest.raises(SandboxError):
        box.payload("answer = 1")


def test_nothing_is_left_of_ten_sessions(sandbox: Sandbox) -> None:
    def state() -> list[int]:
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
        return [len(list(Path("/proc/self/fd").iterdir())), len(children), threading.active_count()]

    sandbox.open(Limits()).close()
    time.sleep(0.5)  # a sandbox may get its next process ready meanwhile
    before = state()
    for number in range(10):
        box = Box(sandbox.open(Limits()))
        if number % 2:
            box.stopped("import os; os.abort()")
        else:
            box.answer("import threading, time; threading.Thread(target=time.sleep, args=(99,)).start()")
        box.session.close()
    assert wait_for(lambda: all(now <= then for now, then in zip(state(), before, strict=True))), (state(), before)


DAEMON = """
import os, signal, subprocess
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.execvp('sleep', ['sleep', request['given']['marker']])
    os._exit(0)
"""


def test_daemons_do_not_survive(open_box: OpenBox, marker: str) -> None:
    box = open_box()
    box.answer(DAEMON, marker=marker)
    assert wait_for(lambda: living(marker))
    box.session.close()
    assert living(marker) == []


def test_a_session_that_was_ended_is_soon_gone(open_box: OpenBox, marker: str) -> None:
    box = open_box()
    code = "x = bytearray(50 << 20); import time; end = time.process_time() + 0.3"
    box.answer(f"{code}\nwhile time.process_time() < end: pass")
    box.answer(DAEMON, marker=marker)
    assert wait_for(lambda: living(marker))
    usage = box.session.end()
    assert not box.session.alive
    assert (usage.cpu_s >= 0.25, usage.peak_memory_mb > 50) == (True, True)
    with pytest.raises(SandboxError):
        box.payload("answer = 1")
    assert box.session.end() == usage
    settle()
    assert living(marker) == []
    assert box.session.close() == usage


def test_stopped_processes_and_exit_handlers_do_not_survive(open_box: OpenBox, marker: str) -> None:
    box = open_box()
    box.answer(sleeper(marker) + "import atexit, time; atexit.register(time.sleep, 99)")
    box.stopped("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", wall_s=0.5)
    begun = time.monotonic()
    box.session.close()
    assert time.monotonic() - begun < 3
    assert living(marker) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_killed_worker_takes_its_sandboxes_along(name: str, marker: str) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.conformance.conftest import *\n"
        "sandbox = EVERY[sys.argv[2]](MINI_HARNESS); box = Box(sandbox.open(Limits()))\n"
        "box.answer(sleeper(sys.argv[1][::-1])); print('up', flush=True); time.sleep(99)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, marker[::-1], name], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"up\n"
    assert wait_for(lambda: living(marker))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert wait_for(lambda: not living(marker))


@gap("processes")
def test_sessions_side_by_side_cannot_see_each_other(open_box: OpenBox) -> None:
    one, two = open_box(), open_box()
    listen = "import socket, builtins; s = builtins.s = socket.socket(socket.AF_UNIX); s.bind('\\0meet'); s.listen()"
    one.answer(listen + "\nopen('/tmp/a', 'w'); open('/work/a', 'w'); open('/dev/shm/a', 'w')")
    look = "import os; answer = [len([p for p in os.listdir('/proc') if p.isdigit()])] + "
    assert two.answer(look + "os.listdir('/tmp') + os.listdir('/work') + os.listdir('/dev/shm')") == [2]
    refused = two.payload("import socket; socket.socket(socket.AF_UNIX).connect('\\0meet')")
    assert refused["error"]["type"] in ("ConnectionRefusedError", "PermissionError")
    assert one.answer("import socket; socket.socket(socket.AF_UNIX).connect('\\0meet'); answer = 1") == 1


def test_the_runtime_is_known_without_starting_it(sandbox: Sandbox) -> None:
    versions = sandbox.runtime()
    assert {"python", "torch", "numpy", "scikit-learn", "transformers", "digest"} <= set(versions)
    session = sandbox.open(Limits())
    assert Box(session).answer("import sys; answer = sys.version.split()[0]") == versions["python"]
    session.close()


def test_only_a_sandbox_that_isolates_has_no_warning(sandbox: Sandbox) -> None:
    assert (sandbox.warning() == "") == (sandbox.name in SANDBOXES)


@pytest.mark.parametrize(
    ("source", "words"),
    [("import sys; sys.exit('no torch here')", "no torch here"), ("", "ended before"), ("print(1", "SyntaxError")],
)
@pytest.mark.parametrize("name", EVERY)
def test_a_harness_that_does_not_start_is_our_fault(tmp_path: Path, name: str, source: str, words: str) -> None:
    sandbox = EVERY[name](_harness(tmp_path, source))
    with pytest.raises(SandboxError, match=words) as caught:
        sandbox.open(Limits())
    sandbox.close()
    assert not isinstance(caught.value, SandboxUnavailable)


def test_a_harness_that_is_never_ready_is_our_fault(tmp_path: Path) -> None:
    harness = _harness(tmp_path, "import time; time.sleep(99)")
    with pytest.raises(SandboxError, match="not ready within"):
        BubblewrapSandbox(_runtime(), harness, ready_s=0.3).open(Limits())


def test_a_missing_runtime_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="bin/setup"):
        BubblewrapSandbox(tmp_path / "python", MINI_HARNESS)


@pytest.mark.parametrize("name", SANDBOXES)
def test_a_machine_without_namespaces_says_what_to_do(name: str) -> None:
    code = (
        "import sys\nfrom tests.conformance.conftest import *\n"
        "from autograder.errors import SandboxUnavailable\n"
        "try: SANDBOXES[sys.argv[1]](MINI_HARNESS).open(Limits())\n"
        "except SandboxUnavailable as error: print(error)\n"
    )
    # One level of user namespaces, and no second one in it.
    nest = ["unshare", "-Ur", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
    done = subprocess.run([*nest, sys.executable, "-c", code, name], capture_output=True, text=True, check=False)
    assert "doctor" in done.stdout, done.stderr


def test_verdicts_of_the_two_sides_differ(box: Box) -> None:
    stopped: Any = box.stopped("import os; os._exit(0)")
    assert stopped.verdict is Verdict.CRASHED
    assert "exit code 0" in stopped.message


def _harness(folder: Path, source: str) -> Path:
    harness = folder / "harness"
    harness.mkdir()
    (harness / "__init__.py").touch()
    (harness / "__main__.py").write_text(source)
    folder.chmod(0o755)
    return harness


def _runtime() -> Path:
    return settings().runtime_python
