"""Each file in attacks/ tries one thing and leaves what it got in `answer`. Inside it must get nothing.

Beside most attacks runs a control: the same file without a sandbox must get something, or the test proves nothing.
`# control:` in the file says who can: anyone, the holder of a capability, root of a scratch namespace (`namespace`), or
`none: REASON`. Attacks are written so that one that succeeds does no harm.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.config import ROOT, settings
from autograder.errors import SandboxStopped
from tests.conformance.conftest import Box

HERE = Path(__file__).parent
ATTACKS = {path.stem: path for path in sorted((HERE / "attacks").glob("*.py"))}
PRELUDE = (HERE / "prelude.py").read_text("utf-8")
REFUSALS = {
    *("OSError", "PermissionError", "FileNotFoundError"),
    *("ConnectionRefusedError", "ProcessLookupError", "ValueError"),
}
CAPABILITIES = {
    "CAP_DAC_OVERRIDE": 1,
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_SETUID": 7,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_NICE": 23,
    "CAP_SYS_RESOURCE": 24,
    "CAP_SYS_TIME": 25,
    "CAP_MKNOD": 27,
    "CAP_SETFCAP": 31,
    "CAP_SYSLOG": 34,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}
SECRET = "the-judge-keeps-this-to-itself"
OUTSIDE = """
import json, sys
scope = {"given": json.loads(sys.stdin.read()), "inside": False, "answer": None}
try:
    exec(sys.argv[1], scope)
except OSError as error:
    print(error, file=sys.stderr)
print(json.dumps(bool(scope["answer"])))
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Things worth attacking: a file, a server, sockets, and a process with a secret in memory and environment."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "submission.py").write_text("other = 1")
    server = socket.create_server(("127.0.0.1", 0))
    abstract, named = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0autograder-{os.getpid()}")
    named.bind(str(folder / "socket"))
    for listener in (abstract, named):
        listener.listen()
    hold = "import ctypes, time; b = ctypes.create_string_buffer(b'secret'); print(ctypes.addressof(b), flush=True); "
    secret = f"s = {SECRET[::-1]!r}[::-1]; "
    victim = subprocess.Popen(
        [sys.executable, "-c", secret + hold + "time.sleep(600)"],
        stdout=subprocess.PIPE,
        env={"AUTOGRADER_SECRET_KEY": SECRET},
    )
    assert victim.stdout is not None
    yield {
        "other_submission": str(folder / "submission.py"),
        "project": str(ROOT),
        "port": server.getsockname()[1],
        "abstract": f"autograder-{os.getpid()}",
        "socket_file": str(folder / "socket"),
        "victim": victim.pid,
        "victim_address": int(victim.stdout.readline()),
        "secret": SECRET,
    }
    victim.kill()
    victim.wait()
    victim.stdout.close()
    for listener in (server, abstract, named):
        listener.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_it_gets_nothing_inside(box: Box, given: dict[str, Any], name: str) -> None:
    code = f"given, inside = request['given'], True\n{PRELUDE}\n{ATTACKS[name].read_text('utf-8')}"
    try:
        payload = box.payload(code, 10.0, **given)
    except SandboxStopped:
        return  # killed for it
    if payload["status"] == "ok":
        assert not payload["result"]["answer"]
    else:
        # Refused by the system, not by a slip in the attack.
        assert payload["error"]["type"] in REFUSALS, payload["error"]


@pytest.mark.parametrize("name", ATTACKS)
def test_it_gets_something_outside(given: dict[str, Any], name: str, tmp_path: Path) -> None:
    needs, reason = control_of(name)
    if needs == "none":
        pytest.skip(f"no control: {reason}")
    if needs not in ("anyone", "namespace") and not _capable(needs):
        pytest.skip(f"only somebody with {needs} could do this outside")
    if name == "make_a_setuid_program" and os.statvfs(tmp_path).f_flag & os.ST_NOSUID:
        pytest.skip("no control: the tests' own folder is mounted without set-uid programs")
    scratch = ["unshare", "--user", "--map-root-user", "--mount", "--"] if needs == "namespace" else []
    code = f"{PRELUDE}\n{ATTACKS[name].read_text('utf-8')}"
    with Path(given["other_submission"]).open("rb") as forgotten:  # a descriptor that it was not meant to have
        done = subprocess.run(
            [*scratch, settings().runtime_python, "-c", OUTSIDE, code],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            pass_fds=[forgotten.fileno()],
            timeout=30,
            check=False,
        )
    assert done.stdout.strip().endswith("true"), done.stdout + done.stderr


def control_of(name: str) -> tuple[str, str]:
    """(who can do it without a sandbox, why nobody can)."""
    found = re.search(r"^# control: (\w+)(?:: (.+))?$", ATTACKS[name].read_text("utf-8"), re.MULTILINE)
    assert found, "say who can do this without a sandbox"
    assert (found[1] == "none") == bool(found[2]), "'none' needs a reason, and nothing else does"
    return found[1], found[2] or ""


def _capable(name: str) -> bool:
    held = re.search(r"^CapEff:\t(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return held is not None and bool(int(held[1], 16) >> CAPABILITIES[name] & 1)


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 25
    assert all(path.read_text("utf-8").startswith('"""') for path in ATTACKS.values())


PLANT = """
import os
for path in ("/work", "/tmp", "/dev/shm"):
    for name in ("sitecustomize.py", "usercustomize.py", "torch.py", ".bashrc", "x.pth", ".pythonrc.py"):
        with open(os.path.join(path, name), "w") as file:
            file.write("PLANTED = 1")
"""


def test_nothing_planted_reaches_the_next_student(open_box: Callable[..., Box]) -> None:
    first = open_box(inodes=500)
    first.answer(PLANT)
    look = "import os; answer = [os.listdir(p) for p in ('/work', '/tmp', '/dev/shm')]"
    assert all(first.answer(look))  # the control: it was there
    assert open_box().answer(look) == [[], [], []]


SCAN = """
import gc, re
wanted, answer = request["given"]["wanted"][::-1].encode(), 0
for start, end in re.findall(r"^(\\w+)-(\\w+) rw", open("/proc/self/maps").read(), re.M):
    with open("/proc/self/mem", "rb", 0) as memory:
        try:
            memory.seek(int(start, 16))
            answer += memory.read(int(end, 16) - int(start, 16)).count(wanted)
        except (OSError, ValueError, OverflowError):
            pass
del wanted
answer = answer
"""


def test_a_scan_of_its_own_memory_finds_no_secret_of_the_judge(open_box: Callable[..., Box]) -> None:
    # The scan's own copy of the word counts once; what the judge sent adds to it, what it kept does not.
    kept = bytes(ctypes.create_string_buffer(b"label-vector-of-the-hidden-set").value).decode()
    sent = open_box()
    sent.answer("import builtins; builtins.keep = request['given']['data']", data=kept)
    unsent = open_box()
    unsent.answer("import builtins; builtins.keep = request['given']['data']", data="something else")
    assert sent.answer(SCAN, wanted=kept[::-1]) > unsent.answer(SCAN, wanted=kept[::-1])
    assert unsent.answer(SCAN, wanted=kept[::-1]) <= 3
