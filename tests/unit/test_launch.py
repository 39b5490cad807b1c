"""What a sandbox is started with on a lane with a graphics card, and on one without. No card is needed for that."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from autograder.config import ROOT, settings
from autograder.sandbox import launch
from autograder.sandbox.base import Limits
from autograder.sandbox.runtime import Runtime, discover

MACHINE = ("null", "nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
DRIVER = ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"]
CHANNEL = 3


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    """The runtime of student code."""
    return discover(settings().runtime_python)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of device nodes in the place of this machine's: three cards and their driver."""
    for name in MACHINE:
        (tmp_path / name).touch()
    monkeypatch.setattr(launch, "_NODES", tmp_path)
    return tmp_path


def plan(runtime: Runtime, device: int | None) -> launch.Plan:
    return launch.Plan(runtime, ROOT / "harness", Limits(), device)


def bound(words: list[str], how: str) -> list[str]:
    """What is bound in this manner, in order."""
    return [path for word, path in pairwise(words) if word == how]


def nodes_of_cards(paths: list[str]) -> list[str]:
    return [path for path in paths if path.startswith("/dev/nvidia")]


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("device", [0, 1])
def test_a_lane_with_a_card_shows_that_card_and_the_driver_and_no_other(runtime: Runtime, device: int) -> None:
    words = launch.enclosure(plan(runtime, device))
    expected = [f"/dev/nvidia{device}", *DRIVER]
    assert nodes_of_cards(bound(words, "--dev-bind")) == expected
    assert nodes_of_cards(words) == [path for path in expected for _ in range(2)]  # from and to, and nothing else
    assert "/sys" in bound(words, "--ro-bind")
    config = launch.lock_config(plan(runtime, device), CHANNEL)
    assert nodes_of_cards(config["writable"]) == expected
    assert config["environment"]["CUDA_VISIBLE_DEVICES"] == "0"  # the one that is there, whatever its number outside


@pytest.mark.usefixtures("machine")
def test_a_lane_without_shows_nothing_of_the_cards_of_its_machine(runtime: Runtime) -> None:
    words = launch.enclosure(plan(runtime, None))
    assert nodes_of_cards(words) == []
    assert "/dev/null" in bound(words, "--dev-bind")
    assert "/sys" not in words
    config = launch.lock_config(plan(runtime, None), CHANNEL)
    assert nodes_of_cards(config["writable"]) == []
    assert config["environment"]["CUDA_VISIBLE_DEVICES"] == ""


def test_a_lane_without_a_card_knows_of_huge_pages_as_files_and_not_by_the_kernels_own(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "HUGE_PAGES", str(tmp_path))
    place = {at: launch.lock_config(plan(runtime, at), CHANNEL)["files"] for at in (None, 0)}
    assert place[None] == place[0]  # a kernel without them
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    (tmp_path / "defrag").write_text("not read by the C library\n")
    made = launch.lock_config(plan(runtime, None), CHANNEL)["files"]
    assert made == place[None] | {str(tmp_path / "enabled"): "always [madvise] never\n"}
    assert launch.lock_config(plan(runtime, 0), CHANNEL)["files"] == place[0]
    assert str(tmp_path) in bound(launch.enclosure(plan(runtime, None)), "--dir")


def test_what_a_driver_does_not_have_is_left_out(runtime: Runtime, machine: Path) -> None:
    (machine / "nvidia-uvm-tools").unlink()
    words = launch.enclosure(plan(runtime, 0))
    assert nodes_of_cards(bound(words, "--dev-bind")) == ["/dev/nvidia0", *DRIVER[:2]]


@pytest.mark.usefixtures("machine")
def test_the_locks_differ_only_in_what_the_driver_needs(runtime: Runtime) -> None:
    with_card, without = (launch.lock_config(plan(runtime, device), CHANNEL) for device in (0, None))
    differ = {key for key in without if with_card[key] != without[key]} - {"files"}  # see the test above
    assert differ == {"writable", "environment", "limits", "filter"}
    assert {key for key in without["limits"] if key not in with_card["limits"]} == {"DATA", "AS"}
    changed = {key for key in without["environment"] if with_card["environment"][key] != without["environment"][key]}
    assert changed == {"CUDA_VISIBLE_DEVICES"}
