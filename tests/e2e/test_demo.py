"""The demo course is graded right, its printed curl line works, and a killed worker costs nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autograder.config import ROOT

VERDICTS = {
    "ada": ("passed", {}),
    "ben": ("partial", {"gradients": "partial"}),
    "chi": ("failed", {"shape": "failed", "logits": "skipped"}),
    "dan": ("timed_out", {"train_runs": "timed_out", "gradients": "passed", "loss_curve": "skipped"}),
    "eva": ("crashed", {"names": "passed", "shape": "crashed"}),
    "fay": ("failed", {"accuracy": "failed"}),
}
PATIENCE_S = 240


class Demo:
    """A running `autograder serve` with its demo course."""

    def __init__(self, var: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url, self.var, self.log = f"http://127.0.0.1:{self.port}", var, var / "serve.out"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AUTOGRADER_")}
        environment |= {"AUTOGRADER_VAR_DIR": str(var), "PYTHONPATH": str(ROOT), "AUTOGRADER_LEASE_S": "4"}
        command = [sys.executable, "-m", "autograder", "serve", "--port", str(self.port)]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def wait_printed(self) -> str:
        """All it printed, once the ready curl line is there."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.log.read_text()
            if "bin/autograder submit" in text:
                return text
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def get(self, name: str, path: str) -> Any:
        """A JSON answer, asked by a person of the demo."""
        token = json.loads((self.var / "demo.json").read_text())[name]["token"]
        answer = httpx.get(f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def submissions(self, name: str) -> list[dict[str, Any]]:
        """A student's submissions, newest first."""
        found: list[dict[str, Any]] = self.get(name, "/assignments/ccds-cnn-1/submissions")
        return found

    def wait_for(self, name: str, status: str, activity: str = "") -> dict[str, Any]:
        """The newest submission's whole view once it has this status (and is at this)."""
        deadline = time.monotonic() + PATIENCE_S
        view: dict[str, Any] = {}
        while time.monotonic() < deadline:
            view = self.get(name, f"/submissions/{self.submissions(name)[0]['id']}")
            if view["status"] == status and activity in view["activity"]:
                return view
            time.sleep(0.1)
        raise AssertionError(f"{name}: {view} {(self.var / 'logs/worker.log').read_text()[-2000:]}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", VERDICTS)
def test_each_demo_submission_ends_in_its_verdict(demo: Demo, name: str) -> None:
    demo.wait_printed()
    verdict, checks = VERDICTS[name]
    report = demo.wait_for(name, "done")["report"]
    found = {check["id"]: check["verdict"] for check in report["checks"]}
    assert report["verdict"] == verdict, found
    assert {check: found[check] for check in checks} == checks


@pytest.mark.timeout(400)
def test_the_printed_curl_line_hands_in_and_a_killed_worker_costs_nothing(demo: Demo) -> None:
    line = re.search(r"curl .*?\n.*?submissions", demo.wait_printed())
    assert line
    words = shlex.split(line.group().replace("\\\n", " "))
    answered = subprocess.run([*words, "-sS"], cwd=ROOT, capture_output=True, text=True, check=True)
    first = json.loads(answered.stdout)
    demo.wait_for("gus", "running", "training: epoch")
    workers = subprocess.run(["pgrep", "-P", str(demo.process.pid), "-f", "celery"], capture_output=True, text=True)
    os.killpg(int(workers.stdout.split()[0]), signal.SIGKILL)
    done = demo.wait_for("gus", "done")
    assert (done["id"], done["report"]["verdict"], done["tries"]) == (first["id"], "passed", 1)
    assert [s["attempt"] for s in demo.submissions("gus")] == [1]


def test_a_second_start_says_that_the_port_is_taken(demo: Demo) -> None:
    demo.wait_printed()
    command = [sys.executable, "-m", "autograder", "serve", "--port", str(demo.port)]
    again = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert again.returncode == 2
    assert "is taken" in again.stderr
