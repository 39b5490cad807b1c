"""Anybody may try passwords, and each try takes much memory: many at once must not take many times as much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.errors import TooManyRequests
from api.limits import LoginBrake
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


def test_a_line_with_very_many_addresses_is_one_guesser() -> None:
    brake = LoginBrake(per_account=5)
    for number in range(5):
        brake.attempt("a@example.org", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyRequests):
        brake.attempt("a@example.org", "2001:db8:1:2:ffff::1")
    brake.attempt("a@example.org", "2001:db8:1:3::1")  # somebody else's
    brake.attempt("a@example.org", "testclient")


def test_all_of_ipv4_is_not_one_guesser_where_the_server_listens_on_ipv6() -> None:
    brake = LoginBrake(per_account=5, per_address=5)
    for _ in range(5):
        brake.attempt("a@example.org", "::ffff:198.51.100.1")
    brake.attempt("b@example.org", "::ffff:198.51.100.2")
    with pytest.raises(TooManyRequests):
        brake.attempt("b@example.org", "::ffff:198.51.100.1")


def test_whoever_has_to_wait_is_not_washed_out_by_fresh_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.limits._MOST_KEYS", 20)
    brake = LoginBrake(per_account=5)
    for _ in range(5):
        brake.attempt("a@example.org", "198.51.100.1")
    for number in range(100):
        brake.attempt(f"{number}@example.org", f"203.0.113.{number}")
    with pytest.raises(TooManyRequests):
        brake.attempt("a@example.org", "198.51.100.1")
