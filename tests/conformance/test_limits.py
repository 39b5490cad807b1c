"""Every limit holds, from outside, whatever the code does; and says which it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.hints import hint_for
from autograder.intake import unpack
from autograder.model import CheckResult, Verdict
from autograder.sandbox import open_sandbox
from autograder.specs.loader import load_spec
from tests.conformance.conftest import Box, gap, living, sleeper
from tests.conftest import SPECS

OpenBox = Callable[..., Box]
SPIN = {
    "python loop": "while True: pass",
    "C loop that no signal ends": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)",
    "regular expression": "import re; re.match(r'(a*)*b', 'a' * 40)",
    "all signals ignored": (
        "import signal\nfor n in range(1, 65):\n try: signal.signal(n, signal.SIG_IGN)\n"
        " except (OSError, ValueError): pass\nwhile True: pass"
    ),
    "exceptions swallowed": "while True:\n try:\n  while True: pass\n except BaseException: pass",
}


@pytest.mark.alone
@pytest.mark.parametrize("name", SPIN)
def test_wall_time_of_a_request(box: Box, name: str) -> None:
    begun = time.monotonic()
    assert box.stopped(SPIN[name], wall_s=0.4).verdict is Verdict.TIMED_OUT
    assert time.monotonic() - begun < 1.5


def test_wall_time_of_the_session_is_the_default(open_box: OpenBox) -> None:
    stopped = open_box(wall_s=0.3).stopped("import time; time.sleep(99)")
    assert stopped.verdict is Verdict.TIMED_OUT
    assert "0.3 s" in stopped.message


@pytest.mark.parametrize("name", ["C loop that no signal ends", "all signals ignored"])
def test_processor_time(open_box: OpenBox, name: str) -> None:
    stopped = open_box(cpu_s=0.6).stopped(SPIN[name])
    assert stopped.verdict is Verdict.TIMED_OUT
    assert "processor time" in stopped.message


def test_processor_time_of_children_counts(open_box: OpenBox) -> None:
    code = "import os\nwhile True:\n if os.fork() == 0:\n  for _ in range(10**6): pass\n  os._exit(0)\n os.wait()"
    stopped = open_box(cpu_s=0.6).stopped(code)
    assert (stopped.verdict, "processor time" in stopped.message) == (Verdict.TIMED_OUT, True)


MEMORY = {
    "growing list": "x = []\nwhile True: x.append(b'x' * (1 << 20))",
    "shared map": (
        "import mmap\nf = open('/work/x', 'wb+'); f.truncate(500 << 20); m = mmap.mmap(f.fileno(), 500 << 20)\n"
        "for i in range(0, 500 << 20, 4096): m[i] = 1"
    ),
    "children": (
        "import os, time\nfor _ in range(8):\n if os.fork() == 0:\n  x = bytearray(b'x') * (60 << 20); time.sleep(99)\n"
        "time.sleep(99)"
    ),
    "files and memory": (
        "x = bytearray(b'x') * (200 << 20); open('/dev/shm/x', 'wb').write(x[:100 << 20])\n"
        "import time; time.sleep(99)"  # until the watchdog looks, which is late on a busy machine
    ),
    "files": "open('/work/x', 'wb').write(bytes(300 << 20))\nimport time; time.sleep(99)",
}


IN_FILES = ("shared map", "files and memory", "files")


@pytest.mark.alone
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[gap("memory")] if name in IN_FILES else []) for name in MEMORY]
)
def test_memory(open_box: OpenBox, name: str) -> None:
    box = open_box(disk_mb=1000)
    assert box.stopped(MEMORY[name]).verdict is Verdict.OUT_OF_MEMORY
    assert box.session.close().peak_memory_mb < 600  # not far beyond 256 between two looks


SOCKETS = (
    "import os, socket, time\n"
    "for _ in range(8):\n"
    " if os.fork() == 0:\n"
    "  keep = []\n"
    "  try:\n"
    "   while True:\n"
    "    keep += socket.socketpair()\n"
    "    keep[-1].setblocking(False)\n"
    "    keep[-1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)\n"
    "    try:\n"
    "     while True: keep[-1].send(bytes(1 << 16))\n"
    "    except BlockingIOError: pass\n"
    "  except OSError: time.sleep(99)\n"
    "time.sleep(99)"
)


@gap("memory")
@pytest.mark.alone
def test_memory_of_the_kernel_held_in_sockets(box: Box) -> None:
    assert box.stopped(SOCKETS).verdict is Verdict.OUT_OF_MEMORY


def test_an_allocation_that_cannot_fit_fails_where_it_is_made(box: Box) -> None:
    for code in ("bytearray(5 << 30)", "import mmap; mmap.mmap(-1, 100 << 30, mmap.MAP_PRIVATE)"):
        assert box.payload(code)["error"]["type"] in ("MemoryError", "OSError")
    assert box.answer("answer = 1") == 1


def test_a_tensor_beyond_the_limit_is_noticed(open_box: OpenBox) -> None:
    box = open_box(memory_mb=1024)
    box.answer("import torch")
    payload = box.payload("import torch; torch.zeros(2 << 30, dtype=torch.uint8)")
    assert "allocate memory" in payload["error"]["message"]
    assert box.answer("answer = 1") == 1


def test_pages_shared_with_children_count_once(box: Box) -> None:
    code = (
        "import os, time\nx = bytearray(b'x') * (150 << 20)\n"
        "for _ in range(4):\n if os.fork() == 0: time.sleep(0.3); os._exit(0)\n"
        "for _ in range(4): os.wait()\nanswer = 1"
    )
    assert box.answer(code) == 1


def test_a_fork_bomb(open_box: OpenBox, marker: str) -> None:
    box = open_box(processes=20)
    box.answer(sleeper(marker))
    stopped = box.stopped("import os\nwhile True:\n try: os.fork()\n except OSError: pass", wall_s=1.0)
    assert stopped.verdict in (Verdict.TIMED_OUT, Verdict.CRASHED)
    box.session.close()
    assert living(marker) == []


@gap("process_count")
def test_processes_are_refused_beyond_the_limit(open_box: OpenBox) -> None:
    code = (
        "import os, signal\nchildren = []\ntry:\n while True:\n  child = os.fork()\n"
        "  if child == 0: signal.pause()\n  children.append(child)\nexcept BlockingIOError: pass\n"
        "answer = len(children)\nfor c in children: os.kill(c, 9)\nfor c in children: os.wait()"
    )
    box = open_box(processes=10)
    assert box.answer(code) == 9
    assert box.answer(code) == 9


@gap("process_count")
def test_threads_are_refused_beyond_the_limit(open_box: OpenBox) -> None:
    code = (
        "import threading\ne = threading.Event(); n = 0\ntry:\n while True:\n"
        "  threading.Thread(target=e.wait, daemon=True).start(); n += 1\nexcept RuntimeError: pass\ne.set(); answer = n"
    )
    assert open_box(processes=10).answer(code) == 9


@gap("disk")
@pytest.mark.parametrize("folder", ["/work", "/tmp"])
def test_disk_space(open_box: OpenBox, folder: str) -> None:
    box = open_box()
    fill = "for i in range(9): open(request['given']['f'] + f'/{i}', 'wb').write(bytes(1 << 20))"
    assert "No space left" in box.payload(fill, f=folder)["error"]["message"]
    assert box.answer("import shutil; answer = shutil.disk_usage('/work').total") == 8 << 20


@gap("disk")
def test_work_and_tmp_share_their_space(box: Box) -> None:
    box.answer("open('/work/x', 'wb').write(bytes(5 << 20))")
    assert "No space left" in box.payload("open('/tmp/x', 'wb').write(bytes(5 << 20))")["error"]["message"]


@pytest.mark.parametrize("path", ["x", pytest.param("/dev/shm/x", marks=gap("leftovers"))])
def test_one_file_may_not_be_larger_than_the_disk(box: Box, path: str) -> None:
    code = "open(request['given']['path'], 'wb').truncate(9 << 20)"
    assert "File too large" in box.payload(code, path=path)["error"]["message"]


@gap("disk")
@pytest.mark.parametrize("folder", ["/work", "/tmp", "/dev/shm"])
def test_empty_files(open_box: OpenBox, folder: str) -> None:
    box = open_box()
    code = (
        "import os\nanswer = 0\ntry:\n while True:\n  os.mkdir(f\"{request['given']['f']}/{answer}\"); answer += 1\n"
        "except OSError: pass"
    )
    assert 90 <= box.answer(code, f=folder) <= (1024 if folder == "/dev/shm" else 100)


def test_descriptors(box: Box) -> None:
    code = "import os\nanswer = 0\ntry:\n while True: os.dup(0); answer += 1\nexcept OSError: pass"
    assert box.answer(code) < 256


def test_limits_cannot_be_raised(box: Box) -> None:
    code = (
        "import resource as r\nanswer = []\n"
        "for n in ('DATA', 'AS', 'CPU', 'FSIZE', 'NPROC', 'NOFILE', 'CORE', 'MSGQUEUE', 'MEMLOCK'):\n"
        " soft, hard = r.getrlimit(getattr(r, 'RLIMIT_' + n))\n"
        " try: r.setrlimit(getattr(r, 'RLIMIT_' + n), (hard + 1, hard + 1)); answer.append(n)\n"
        " except (ValueError, OSError): pass"
    )
    assert box.answer(code) == []


def test_output_is_cut_with_a_note(box: Box) -> None:
    box.answer("print('begin'); print('x' * 100_000); print('end')")
    text = box.session.output()
    assert text.startswith("begin\nxxx")
    assert len(text) < 4096 + 100
    assert "more bytes were printed and not kept" in text
    assert box.answer("answer = 1") == 1


def test_output_of_children_and_stderr_is_kept(box: Box) -> None:
    box.answer("import subprocess; subprocess.run('echo one; echo two >&2', shell=True)")
    assert box.session.output() == "one\ntwo\n"


def test_undecodable_output_is_kept_readable(box: Box) -> None:
    box.answer("import os; os.write(1, b'a\\xff\\0b')")
    assert box.session.output() == "a\ufffd\ufffdb"


@pytest.mark.parametrize("code", ["while True: print('x' * 10_000)", "import os\nos.system('yes')"])
def test_an_output_flood(box: Box, code: str) -> None:
    assert box.stopped(code).verdict is Verdict.OUTPUT_LIMIT
    assert len(box.session.output()) < 4096 + 100


REACHED = {
    "disk space": ("for n in range(9): open(f'/work/{n}', 'wb').write(bytes(1 << 20))", "disk"),
    "inodes": ("for n in range(200): open(f'/work/{n}', 'w').close()", "disk"),
    "file size": ("open('x', 'wb').truncate(9 << 20)", None),
    "processes": ("import subprocess\nfor _ in range(60): subprocess.Popen(['sleep', '9'])", "process_count"),
    "threads": (
        "from threading import Timer\nfor _ in range(60): t = Timer(9, print); t.daemon = True; t.start()",
        "process_count",
    ),
    "open files": ("held = [open('/dev/null') for _ in range(400)]", None),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[gap(lacks)] if lacks else []) for name, (_, lacks) in REACHED.items()]
)
def test_what_a_limit_raises_has_a_hint(box: Box, name: str) -> None:
    error = box.payload(REACHED[name][0])["error"]
    hint = hint_for("exception", f"{error['type']}: {error['message']}")
    assert hint.startswith("The limit on"), error


NET = """
import subprocess, threading, time, torch

class Net(torch.nn.Module):
    def forward(self, x):
        {does}
        return x
"""
HINTED = {
    "open('x.bin', 'wb').write(bytes(9 << 20))": "limit on disk space",
    "torch.save(torch.zeros(9 << 18), 'x.pt')": "limit on disk space",
    "[subprocess.Popen(['sleep', '9']) for _ in range(60)]": "limit on processes and threads",
    "[threading.Thread(target=time.sleep, args=(9,)).start() for _ in range(60)]": "limit on processes and threads",
}


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[[str], dict[str, CheckResult]]]:
    """Grades a network that does something, with little disk and few processes: its checks by id."""
    folder = tmp_path_factory.mktemp("specs") / "fake-task"
    folder.mkdir()
    for name in ("spec.yaml", "data.py"):
        (folder / name).write_text((SPECS / "fake-task" / name).read_text("utf-8"), "utf-8")
    with (folder / "spec.yaml").open("a") as spec:
        spec.write("limits: {disk_mb: 4, processes: 16}\n")
    loaded = load_spec(folder)
    name = pytestconfig.getoption("--sandbox") or "forkserver"
    made = open_sandbox(settings().model_copy(update={"sandbox": name}))

    def grade(does: str) -> dict[str, CheckResult]:
        report = pipeline.grade(loaded, unpack("net.py", NET.format(does=does).encode()), made)
        return {check.id: check for check in report.checks}

    yield grade
    made.close()


@pytest.mark.parametrize("does", HINTED)
def test_a_report_says_which_limit_it_was(graded: Callable[[str], dict[str, CheckResult]], does: str) -> None:
    checks = graded(does)
    assert (checks["names"].verdict, checks["finite"].verdict) == (Verdict.PASSED, Verdict.CRASHED)
    assert HINTED[does] in checks["finite"].hint
