"""What only the weak sandbox does: it refuses until it is allowed in plain words, and cleans up without a namespace."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.errors import SandboxUnavailable
from autograder.sandbox import NAMES, TRUST, WEAK, open_sandbox
from autograder.sandbox.base import Limits
from autograder.sandbox.plain import GAPS, PlainSandbox
from autograder.sandbox.tree import Processes
from tests.conformance.conftest import MINI_HARNESS, SMALL, Box, living, sleeper, wait_for

OpenBox = Callable[..., Box]


@pytest.fixture(params=[WEAK])
def sandbox() -> Iterator[PlainSandbox]:
    """The weak sandbox; the parameter keeps it from root, as everywhere in this folder."""
    made = PlainSandbox(settings().runtime_python, MINI_HARNESS)
    yield made
    made.close()


def tree_of(box: Box) -> Processes:
    """The processes of a session."""
    return box.session._tree  # type: ignore[attr-defined, no-any-return]


def folder_of(box: Box) -> Path:
    """A session's private folder."""
    return Path(box.answer("import os; answer = os.getcwd()")).parent


@pytest.mark.parametrize("said", ["", "yes", "1", "true", "I trust everyone"])
def test_it_opens_only_where_the_settings_say_so_in_plain_words(said: str) -> None:
    weak = settings().model_copy(update={"sandbox": WEAK, "allow_weak_sandbox": said})
    with pytest.raises(SandboxUnavailable, match="isolates nothing") as refused:
        open_sandbox(weak)
    assert f'AUTOGRADER_ALLOW_WEAK_SANDBOX="{TRUST}"' in str(refused.value)
    assert "doctor" in str(refused.value)


def test_allowed_it_opens_and_every_report_will_carry_its_mark() -> None:
    sandbox = open_sandbox(settings().model_copy(update={"sandbox": WEAK, "allow_weak_sandbox": TRUST}))
    assert "without isolation" in sandbox.warning()
    assert "“subprocess”" in sandbox.warning()
    sandbox.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_words_change_nothing_about_the_others(name: str) -> None:
    sandbox = open_sandbox(settings().model_copy(update={"sandbox": name, "allow_weak_sandbox": TRUST}))
    assert (sandbox.name, sandbox.warning()) == (name, "")
    sandbox.close()


def test_every_gap_is_a_sentence_of_its_own() -> None:
    assert len(set(GAPS.values())) == len(GAPS) >= 10
    assert all(len(words) > 30 for words in GAPS.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its number first")
def test_root_never_runs_student_code_itself() -> None:
    """The stand-in says who it is instead of being ready; it asks nothing else of the machine.

    With a Python that lies where only root can read, there is no such user, and a word about that.
    """
    python = Path("/usr/bin/python3")
    top = Path(tempfile.mkdtemp(prefix="autograder-test-"))
    top.chmod(0o755)
    harness = top / "harness"
    harness.mkdir(mode=0o755)
    (harness / "__init__.py").touch()
    (harness / "__main__.py").write_text("import os, sys; sys.exit(f'I am {os.getresuid()} {os.getgroups()}')")
    try:
        with pytest.raises(Exception, match=r"I am \((6[0-4]\d\d\d), \1, \1\) \[\]|As root it runs student code as a"):
            PlainSandbox(python if python.exists() else settings().runtime_python, harness).open(Limits(**SMALL))
    finally:
        for path in (*harness.iterdir(), harness, top):
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close a folder to everybody else by owning it")
def test_a_python_that_only_root_can_read_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "python").symlink_to("/usr/bin/python3")
    with pytest.raises(SandboxUnavailable, match="Run the worker as an ordinary user"):
        PlainSandbox(tmp_path / "python", MINI_HARNESS).open(Limits(**SMALL))


def test_its_files_are_private_and_go_with_it(sandbox: PlainSandbox) -> None:
    box = Box(sandbox.open(Limits(**SMALL)))
    folder = folder_of(box)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    closed = "import os\nos.makedirs('a/b/c'); open('a/b/c/x', 'w').close(); os.chmod('a/b', 0); os.symlink('/', 'all')"
    box.answer(closed + "\nimport tempfile; answer = tempfile.gettempdir()")
    box.session.close()
    assert not folder.exists()
    assert Path("/usr").exists()


def test_what_is_shown_lies_where_the_session_says(sandbox: PlainSandbox, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    session = sandbox.open(Limits(**SMALL, shown=tmp_path))
    read = "answer = open(request['given']['data'] + '/mine.txt').read()"
    assert Box(session).answer(read, data=session.data) == "mine"
    session.close()


def test_folders_of_a_killed_judge_are_swept(sandbox: PlainSandbox) -> None:
    code = (
        "import os, signal; from tests.conformance.conftest import *\n"
        "box = Box(WEAK['subprocess'](MINI_HARNESS).open(Limits(**SMALL)))\n"
        "print(box.answer('import os; answer = os.getcwd()'), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip()).parent
    assert left.name.startswith("autograder-")
    PlainSandbox(settings().runtime_python, MINI_HARNESS).close()
    assert not left.exists()


def test_a_keeper_that_was_killed_takes_the_harness_along(sandbox: PlainSandbox, marker: str) -> None:
    box = Box(sandbox.open(Limits(**SMALL)))
    box.answer(sleeper(marker))
    os.kill(tree_of(box).init, signal.SIGKILL)
    assert wait_for(lambda: not box.session.alive)
    box.session.close()
    assert living(marker) == []


def test_a_keeper_that_was_stopped_holds_nothing_up(sandbox: PlainSandbox, marker: str) -> None:
    box = Box(sandbox.open(Limits(**SMALL)))
    box.answer(sleeper(marker))
    os.kill(tree_of(box).init, signal.SIGSTOP)
    begun = time.monotonic()
    box.session.close()
    assert time.monotonic() - begun < 3
    assert living(marker) == []


def test_what_the_harness_leaves_ends_with_it(sandbox: PlainSandbox, marker: str) -> None:
    box = Box(sandbox.open(Limits(**SMALL)))
    daemon = "import os, subprocess, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n"
    box.answer(f"{daemon}  os.execvp('sleep', ['sleep', '{marker}'])\n os._exit(0)\ntime.sleep(0.2)")
    assert living(marker)
    box.stopped("import os; os._exit(0)")
    assert wait_for(lambda: not living(marker))  # before anybody closes the session
    box.session.close()


def test_too_many_processes_end_the_session(sandbox: PlainSandbox) -> None:
    box = Box(sandbox.open(Limits(**{**SMALL, "processes": 5})))
    stopped = box.stopped("import os, time\nfor _ in range(20): os.fork() or time.sleep(99)\ntime.sleep(99)")
    assert "more than 5 processes" in stopped.message
    box.session.close()
