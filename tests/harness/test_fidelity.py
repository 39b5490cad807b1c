"""Whole notebooks: run-all mode leaves the names that a real kernel leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.client import Harness
from tests.harness.fidelity import NAMES, RECORDING, differences, digest, under_harness
from tests.harness.record_nbclient import run

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


@pytest.mark.parametrize("name", ["last_expression", "training_loop", "capture"])
def test_a_kernel_started_now_agrees_to_the_last_bit(harness: Harness, name: str) -> None:
    wrong = differences(run(name), under_harness(harness, name), exact=True)
    assert set(wrong) == set(DIFFERENCES.get(name, {})), json.dumps(wrong, indent=1)
