"""The suite once more as an ordinary user, for when the tests run as root.

The two ways of starting differ: root puts one more bubblewrap around it. What only root can read (the interpreter may
lie there) is shown to the ordinary user under its true path by the same trick.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.config import ROOT, settings

USER = "59999"
PASSWD = Path(__file__).with_name("passwd")  # gives USER a name, as every user has one: PostgreSQL refuses to run else
# Of what isolates one test of each mechanism, since the whole would only take longer; of the weak sandbox everything,
# because this is the only place where it is tried.
CHOSEN = {
    "isolating": (
        "not subprocess and (answers_and_keeps or measured or ten_sessions or daemons or killed_worker or side_by_side "
        "or without_namespaces or allow_list or nobody or writable or of_this_machine or processor_time or test_memory "
        "or count_once or refused_beyond or disk_space or empty_files or flood)"
    ),
    "weak": "subprocess",
}


def closed_to_others(path: Path) -> list[Path]:
    """Folders above `path` (and itself) that other users can't pass."""
    return [folder for folder in [*reversed(path.parents), path] if not folder.stat().st_mode & 0o001]


def as_ordinary_user(*needed: Path) -> list[str]:
    """Start of a command line that runs what follows as USER, who can read `needed`."""
    shown = ["bwrap", "--dev-bind", "/", "/"]
    tops = {closed[0] for path in needed if (closed := closed_to_others(path))}
    for top in sorted(tops):
        shown += ["--tmpfs", str(top)]
    for path in sorted({path for path in needed if closed_to_others(path)}):
        between = [folder for folder in reversed(path.parents) if any(top in folder.parents for top in tops)]
        for folder in between:
            shown += ["--dir", str(folder)]
        shown += ["--ro-bind", str(path), str(path)]
    shown += ["--ro-bind", str(PASSWD), "/etc/passwd"]
    return [*shown, "--", "setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all"]


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user already")
@pytest.mark.parametrize("part", CHOSEN)
def test_the_suite_as_an_ordinary_user(part: str) -> None:
    folder = Path("/tmp") / f"autograder-ordinary-{os.getpid()}"  # pytest's own folder is closed to others
    folder.mkdir()
    os.chown(folder, int(USER), int(USER))
    needed = [Path(sys.base_prefix).resolve(), settings().runtime_python.resolve().parent.parent, ROOT]
    pytest_run = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/pytest", "-k", CHOSEN[part]]
    try:
        done = subprocess.run(
            [*as_ordinary_user(*needed), sys.executable, *pytest_run, str(ROOT / "tests/conformance")],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
