"""Anybody may try passwords, and each try takes much memory: many at once must not take many times as much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

TRIES = """
import resource, threading
from contextlib import suppress
from autograder.errors import NotAuthenticated
from autograder.services import accounts

def attempt(number):
    with suppress(NotAuthenticated):
        accounts.authenticate(f"nobody{number}@example.org", "guess")

attempt(0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
threads = [threading.Thread(target=attempt, args=(number,)) for number in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_burst_of_sign_ins_takes_little_memory(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTOGRADER_VAR_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", TRIES], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400, "megabytes more than for one sign-in"
