"""Whole notebooks: run-all mode leaves the names that a real kernel leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from autograder.config import ROOT, settings
from autograder.sandbox import NAMES as SANDBOXES
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Limits
from tests.harness.client import Harness, notebook, split_cells
from tests.harness.fidelity import NAMES, RECORDING, differences, digest, source, under_harness

LIVE = ["last_expression", "training_loop", "awaits"]
AGAIN = "record it again: PYTHONPATH=. .venv/bin/python -m tests.harness.record_nbclient {}"

# notebook → name → why it differs from a kernel
DIFFERENCES = {
    "shell_lines": {
        "names.listing": "shell lines are not run; what they would print is an empty list",
        "names.n": "its length",
    },
    "shown_things": {"names.shell": "get_ipython() is the harness's own shell"},
    "data_loader": {"names.workers": "loaders work in the process itself"},
    "widgets_metadata": {"names.trange": "a stand-in that does the same"},
    "progress_bars": {"names.auto_tqdm": "there is no browser: the plain bar, not the widget"},
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """What nbclient left, by notebook."""
    found: dict[str, Any] = json.loads(RECORDING.read_text())["notebooks"]
    return found


def test_there_are_enough_notebooks_and_all_are_recorded(recorded: dict[str, Any]) -> None:
    assert len(NAMES) >= 30
    assert set(recorded) == set(NAMES)
    assert set(DIFFERENCES) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_leaves_the_names_it_leaves_in_a_kernel(harness: Harness, recorded: Any, name: str) -> None:
    assert recorded[name]["source"] == digest(name), AGAIN.format(name)
    wrong = differences(recorded[name], under_harness(harness, name), exact=False)
    assert set(wrong) == set(DIFFERENCES.get(name, {})), json.dumps(wrong, indent=1)


@pytest.fixture(scope="module")
def recorded_now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What nbclient leaves today, of a few notebooks. (In a process of its own, which it takes settings from.)"""
    target = tmp_path_factory.mktemp("recording") / "now.json"
    command = [sys.executable, "-m", "tests.harness.record_nbclient", "--to", str(target), *LIVE]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=200)
    found: dict[str, Any] = json.loads(target.read_text())["notebooks"]
    return found


@pytest.mark.parametrize("name", LIVE)
def test_a_kernel_started_now_agrees_to_the_last_bit(harness: Harness, recorded_now: Any, name: str) -> None:
    wrong = differences(recorded_now[name], under_harness(harness, name), exact=True)
    assert set(wrong) == set(DIFFERENCES.get(name, {})), json.dumps(wrong, indent=1)


@pytest.mark.parametrize("name", SANDBOXES)
def test_the_sandbox_changes_nothing_about_a_notebook(harness: Harness, name: str) -> None:
    """Event loop, folders, progress bars, figures, magics, files and the kinds of refusal under all locks."""
    parts = ["awaits", "change_folder", "run_a_sibling", "plots", "progress_bars", "asking", "save_and_load", "capture"]
    data = notebook([cell for part in parts for cell in split_cells(source(part))])
    plain = harness.load_files({"nb.ipynb": data}, "nb.ipynb", "run_all")
    sandbox = open_sandbox(settings().model_copy(update={"sandbox": name}))
    with closing(sandbox), closing(sandbox.open(Limits())) as session:
        arguments = {"files": [{"name": "nb.ipynb", "data": data}], "main": "nb.ipynb", "mode": "run_all", "seed": 0}
        payload = session.request("load", arguments)
    assert payload["status"] == "ok"
    assert payload["result"]["remarks"] == plain["remarks"]
    assert {remark["code"] for remark in plain["remarks"]} == {"input"}
    assert payload["result"]["names"] == plain["names"]
    assert len(payload["result"]["figures"]) == len(plain["figures"]) > 2
