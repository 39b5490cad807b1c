"""The worker's container profile, tried without an engine: its filter is put over a process that opens sandboxes."""

from __future__ import annotations

import base64
import errno
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.config import ROOT, settings
from autograder.sandbox import seccomp
from tests.conformance.test_ordinary_user import as_ordinary_user

UNDER_THE_FILTER = """
import base64, ctypes, os, sys
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
code, libc = base64.b64decode(sys.argv[1]), ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # no_new_privs
assert libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, code)), 0, 0) == 0  # seccomp
assert libc.syscall(250, 0, 0, 0) == -1 and libc.syscall(425, 4, bytes(120)) == -1  # keyctl, io_uring: refused
sys.path.insert(0, "")
from tests.conformance.conftest import *
for name, make in SANDBOXES.items():
    sandbox = make(MINI_HARNESS)
    box = Box(sandbox.open(Limits()))
    user = box.answer("import subprocess, torch; answer = subprocess.check_output(['id', '-u'], text=True)")
    print(name, user.strip(), box.stopped("while True: pass", wall_s=0.3).verdict)
    box.session.close()
    sandbox.close()
"""


def container_filter(names: list[str], numbers: dict[str, int]) -> bytes:
    """What an engine makes of the profile: `names` allowed, clone3 missing, all else refused."""
    operation, ranges = seccomp._op, seccomp._ranges
    allow, refuse = operation(0x06, 0x7FFF0000), operation(0x06, 0x00050000 | errno.EPERM)
    code = [operation(0x20, 0), operation(0x15, 435, 0, 1), operation(0x06, 0x00050000 | errno.ENOSYS)]
    for first, last in ranges(numbers[name] for name in names):
        code += [operation(0x25, last, 3, 0), operation(0x35, first, 0, 1), allow, refuse]
    return b"".join([*code, refuse])


@pytest.mark.skipif(os.geteuid() != 0, reason="what an ordinary user may do is tested without the filter already")
def test_sandboxes_can_be_made_under_the_profile() -> None:
    spec = importlib.util.spec_from_file_location("maker", ROOT / "docker/make_seccomp_profile.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    numbers = {**seccomp.ALLOWED, **maker.SERVICE, **maker.MAKE_A_SANDBOX}
    profile = json.loads((ROOT / "docker/seccomp-worker.json").read_text("utf-8"))
    code = container_filter(profile["syscalls"][0]["names"], numbers)
    needed = [Path(sys.base_prefix).resolve(), settings().runtime_python.resolve().parent.parent, ROOT]
    done = subprocess.run(
        [*as_ordinary_user(*needed), sys.executable, "-c", UNDER_THE_FILTER, base64.b64encode(code).decode()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["bubblewrap 1000 timed_out", "forkserver 1000 timed_out"]
