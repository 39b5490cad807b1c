"""With a control group for each session the kernel holds memory and tasks; the verdicts stay the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.config import ROOT, settings
from autograder.errors import SandboxUnavailable
from autograder.model import Verdict
from autograder.sandbox import cgroups
from autograder.sandbox.base import Limits, Sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.cgroups import Groups
from autograder.sandbox.forkserver import ForkServerSandbox
from tests.conformance.conftest import MINI_HARNESS, SANDBOXES, SMALL, Box, wait_for
from tests.conformance.test_ordinary_user import as_ordinary_user

GROUPS, SAID = cgroups.find()
needs_groups = pytest.mark.skipif(GROUPS is None, reason=f"this machine lets this user make no control group: {SAID}")
OpenBox = Callable[..., Box]


@pytest.fixture(scope="module", params=SANDBOXES)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every implementation, with groups."""
    python = settings().runtime_python
    if request.param == "bubblewrap":
        made: Sandbox = BubblewrapSandbox(python, MINI_HARNESS, groups=GROUPS)
    else:
        made = ForkServerSandbox(python, MINI_HARNESS, modules=(), groups=GROUPS)
    yield made
    made.close()


def ours() -> set[str]:
    """The groups of this process's sessions that exist."""
    assert GROUPS is not None
    return {path.name for path in GROUPS.memory.glob(f"autograder-{os.getpid()}-*")}


def group_of(box: Box) -> Path:
    """The group of a session, found by the harness's own word of where it is."""
    group = box.session._group  # type: ignore[attr-defined]
    return Path(group.folders[0])


# What pipes hold is no process's memory, so the watchdog can't see it.
PIPES = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        break
for _ in range(110):  # a process may have 256 descriptors
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, bytes(1 << 16))
    except BlockingIOError:
        pass
time.sleep(9)
answer = 1
"""
CHILD = "import os\nif os.fork() == 0:\n x = [bytearray(b'x') * (8 << 20) for _ in range(99)]\nos.wait(); answer = 1"


@needs_groups
def test_a_session_and_what_it_starts_are_in_its_group(open_box: OpenBox) -> None:
    box = open_box()
    box.answer("import subprocess; builtins = __import__('builtins'); builtins.p = subprocess.Popen(['sleep', '99'])")

    def members() -> list[str]:
        return (group_of(box) / "cgroup.procs").read_text().split()

    assert wait_for(lambda: "sleep" in {Path(f"/proc/{number}/comm").read_text().strip() for number in members()})
    assert len(members()) >= 2
    assert str(os.getpid()) not in members()
    group = group_of(box)
    box.session.close()
    assert not group.exists()


@needs_groups
@pytest.mark.alone
@pytest.mark.parametrize("code", [PIPES, CHILD], ids=["what only the kernel counts", "a child that is killed alone"])
def test_memory_over_the_limit_ends_the_session(open_box: OpenBox, code: str) -> None:
    box = open_box(memory_mb=48)
    stopped = box.stopped(code)
    assert stopped.verdict is Verdict.OUT_OF_MEMORY
    assert "48 MB" in stopped.message


@needs_groups
def test_tasks_are_limited_by_the_group_too(open_box: OpenBox) -> None:
    box = open_box(processes=10)
    assert GROUPS is not None
    parent = GROUPS.pids or (GROUPS.memory if GROUPS.version == 2 else None)
    if parent is None:
        pytest.skip("version 1 without the controller of tasks")
    assert (parent / group_of(box).name / "pids.max").read_text().strip() == "18"


@needs_groups
def test_what_honest_work_needs_fits(open_box: OpenBox) -> None:
    box = open_box(disk_mb=64)
    assert box.answer("x = bytearray(b'x') * (100 << 20); open('/work/x', 'wb').write(x[:30 << 20]); answer = 1") == 1


@needs_groups
def test_no_group_is_left(sandbox: Sandbox) -> None:
    before = len(ours())  # of sandboxes that other tests keep open
    for number in range(5):
        box = Box(sandbox.open(Limits(**SMALL)))
        if number % 2:
            box.stopped("import os; os.abort()")
        else:
            box.answer("import subprocess; subprocess.Popen(['sleep', '99'])")
        box.session.close()
    assert wait_for(lambda: len(ours()) <= before + 1)  # of a spare child


@needs_groups
def test_what_a_killed_judge_left_is_swept() -> None:
    assert GROUPS is not None
    code = (
        "import os, signal; from autograder.sandbox import cgroups; from autograder.sandbox.base import Limits\n"
        "cgroups.find()[0].make(Limits()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    judge = subprocess.Popen([sys.executable, "-c", code])
    judge.wait()
    left = list(GROUPS.memory.glob(f"autograder-{judge.pid}-*"))
    assert left
    cgroups.find()
    assert not any(path.exists() for path in left)


@needs_groups
@pytest.mark.alone
def test_the_kernel_alone_holds_a_process() -> None:
    """No watchdog and no session: the group by itself."""
    assert GROUPS is not None
    group = GROUPS.make(Limits(memory_mb=40))
    assert group is not None
    greedy = "x = []\nwhile True: x.append(bytearray(b'x') * (1 << 20))"
    done = subprocess.run(group.enter([sys.executable, "-c", greedy]), check=False)
    assert done.returncode == -9
    assert group.ran_out()
    group.remove()
    group.remove()
    assert not group.folders[0].exists()


def test_switched_off_and_named_wrongly(tmp_path: Path) -> None:
    assert cgroups.find("off") == (None, "control groups are switched off by AUTOGRADER_CGROUP")
    with pytest.raises(SandboxUnavailable, match="Delegate"):
        cgroups.find(str(tmp_path / "missing" / "folder"))


def test_a_group_that_cannot_be_made_costs_no_session(tmp_path: Path) -> None:
    groups = Groups(2, tmp_path)  # an ordinary folder: no file of a control group is there
    assert groups.make(Limits()) is None
    assert list(tmp_path.iterdir()) == []


PLACES = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
SECOND = next((place for place in PLACES if (place / "cgroup.procs").exists()), None)
FREE = sorted(cgroups._words(SECOND / "cgroup.controllers")) if SECOND else []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can delegate a group")
@pytest.mark.skipif(not FREE, reason="no hierarchy of version 2 with a controller is mounted here")
def test_a_delegated_group_of_version_2_moves_its_own_processes_to_a_leaf() -> None:
    """As systemd's Delegate=yes leaves it: an ordinary user's folder with their process in it.

    With whichever controller version 2 has here; which one makes no difference to what is moved and written.
    """
    assert SECOND is not None
    controller = FREE[0]
    folder = SECOND / f"autograder-test-{os.getpid()}"
    folder.mkdir()
    (SECOND / "cgroup.subtree_control").write_text(f"+{controller}")
    for path in (folder, folder / "cgroup.procs", folder / "cgroup.subtree_control"):
        os.chown(path, 59999, 59999)
    code = (
        "import pathlib, sys; from autograder.sandbox import cgroups\n"
        f"groups = cgroups.delegated(pathlib.Path({str(folder)!r}), ({controller!r},))\n"
        "inner = groups.memory / 'autograder-1-1'; inner.mkdir(); group = cgroups.Group([inner], 'cgroup.events')\n"
        "import subprocess; p = subprocess.Popen(['sleep', '9']); group.add(p.pid)\n"
        "print(groups.version, len((inner / 'cgroup.procs').read_text().split()), group.ran_out(), flush=True)\n"
        "p.kill(); p.wait(); group.remove(); print(inner.exists(), cgroups._words(groups.memory / 'cgroup.procs'))"
    )
    needed = [Path(sys.base_prefix).resolve(), ROOT]
    inside = f'echo 0 > {folder}/cgroup.procs && exec "$@"'
    command = ["sh", "-c", inside, "sh", *as_ordinary_user(*needed), sys.executable, "-c", code]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    finally:
        time.sleep(0.05)
        for path in (*folder.glob("*/"), folder):
            path.rmdir()
    assert done.stdout.splitlines() == ["2 1 False", "False set()"], done.stdout + done.stderr
