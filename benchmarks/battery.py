"""Every attack on every sandbox, as root and as an ordinary user: what passed, what failed, what was skipped and why.

One combination is one run of the conformance suite, the attacks, the hostile submissions and the honest work on one
sandbox as one user. The whole takes half an hour on two cores; --sandbox and --user run a part of it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from autograder.config import ROOT, settings
from autograder.sandbox import NAMES
from benchmarks import landlock
from benchmarks.report import machine
from tests.conformance.test_ordinary_user import USER, as_ordinary_user

USERS = ("root", "ordinary")
PARTS = {
    "conformance": ("tests/conformance",),
    "attacks": (
        *("tests/security/test_attacks.py", "tests/security/test_forgery.py", "tests/security/test_left_behind.py"),
        *("tests/security/test_wire_attacks.py", "tests/security/test_review_hidden_memory.py"),
    ),
    "submissions": (
        *("tests/security/test_submissions.py", "tests/security/test_uploads.py"),
        *("tests/security/test_review_degenerate.py", "tests/security/test_review_data_secret.py"),
        *("tests/security/test_review_drawn_numbers.py", "tests/security/test_review_terminal.py"),
        *("tests/security/test_checkpoints.py", "tests/security/test_lying_answers.py"),
    ),
    "honest work": ("tests/security/test_honest_work.py",),
}
# The conformance suite would start itself again as an ordinary user; both sandboxes' gradings come with --sandbox.
_LEFT_OUT = "not test_the_suite_as_an_ordinary_user and not slow_twin"
_NO_TEST = 5  # pytest's status when a selection is empty


@dataclass
class Result:
    """Of one part in one combination. said: an ending of pytest itself that no test explains."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    said: str = ""

    def take(self, report: Path) -> None:
        """Count the tests of one of pytest's reports."""
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(f"{case.get('classname')}::{case.get('name')}")
            elif (skip := case.find("skipped")) is not None:
                self.skipped[skip.get("message") or "no reason given"] += 1
            else:
                self.passed += 1


def run(sandbox: str, user: str, part: str, workers: int) -> Result:
    """One part in one combination: first what may run side by side, then what measures as it passes."""
    result, begun = Result(), time.monotonic()
    with starting(user) as (prefix, folder):
        for number, how in enumerate((["-m", "not alone", "-n", str(workers), "--dist", "load"], ["-m", "alone"])):
            report = folder / f"report-{number}.xml"
            words = [*prefix, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--sandbox", sandbox]
            words += [*how, "-k", _LEFT_OUT, f"--basetemp={folder}/pytest-{number}", f"--junitxml={report}"]
            if sandbox != "forkserver":
                words.append("--ignore=tests/conformance/test_forkserver.py")  # that one's own workings
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": "."}
            environment |= {"PYTHONDONTWRITEBYTECODE": "1", "AUTOGRADER_VAR_DIR": str(folder / "var")}
            done = subprocess.run(
                [*words, *PARTS[part]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            if report.exists():
                result.take(report)
            if done.returncode not in (0, 1, _NO_TEST) or (done.returncode == 1 and not result.failed):
                result.said = (done.stdout + done.stderr)[-2000:]
            if done.returncode == 1:
                print(done.stdout[-6000:], file=sys.stderr)
    result.seconds = time.monotonic() - begun
    return result


@contextmanager
def starting(user: str) -> Iterator[tuple[list[str], Path]]:
    """(start of the command line, a folder of that user's) to run something as root or as an ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-battery-", dir="/tmp"))
    try:
        if user == "root" or os.geteuid() != 0:
            yield [], folder
        else:
            os.chown(folder, int(USER), int(USER))
            runtime = settings().runtime_python.resolve().parent.parent
            yield as_ordinary_user(Path(sys.base_prefix).resolve(), runtime, ROOT), folder
    finally:
        shutil.rmtree(folder)


def show(sandbox: str, user: str, part: str, result: Result) -> None:
    """One line of the table, and below it whatever did not pass."""
    skipped = sum(result.skipped.values())
    counts = f"{result.passed:7}{len(result.failed):7}{skipped:8}{result.seconds:8.0f} s"
    print(f"{sandbox:12}{user:10}{part:14}{counts}", flush=True)
    for name in result.failed:
        print(f"    failed: {name}")
    for reason, count in result.skipped.most_common():
        print(f"    skipped {count}: {re.sub(r'^Skipped: ', '', reason)}")
    if result.said:
        print(f"    pytest: {result.said}")


def main() -> None:
    """Run what was asked for and print the table; exit code 1 if something failed."""
    parser = argparse.ArgumentParser(prog="bin/bench battery", description=__doc__)
    parser.add_argument("--sandbox", choices=NAMES, action="append", help="only this one (may be given again)")
    parser.add_argument("--user", choices=USERS, action="append", help="only as this one")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--workers", type=int, default=2, help="tests at a time")
    parser.add_argument("--without-landlock", action="store_true", help="as on a kernel that has no Landlock")
    asked = parser.parse_args()
    if asked.without_landlock:
        landlock.hide()
    print(f"{machine()}\n\n{'sandbox':12}{'user':10}{'part':14}{'passed':>7}{'failed':>7}{'skipped':>8}{'time':>10}")
    good = True
    for sandbox in asked.sandbox or NAMES:
        for user in asked.user or USERS:
            if user == "root" and os.geteuid() != 0:
                print(f"{sandbox:12}{user:10}not run: start this as root, or with --user ordinary")
                continue
            for part in asked.part or PARTS:
                result = run(sandbox, user, part, asked.workers)
                show(sandbox, user, part, result)
                good = good and not result.failed and not result.said
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
