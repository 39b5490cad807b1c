"""The memory of a graphics card: how a reading is taken from the driver's library, from a recorded one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox.card import Card, CardUse, Nvml, Reading
from autograder.sandbox.family import Family

MB = 1 << 20
NOT_TOLD = (1 << 64) - 1


class RecordedCard:
    """A card that gives recorded readings, the last one for ever."""

    def __init__(self, *readings: Reading) -> None:
        self.readings = list(readings)

    def read(self) -> Reading:
        """The next reading."""
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]


class RecordedLibrary:
    """libnvidia-ml as its header has it, with what one machine of two cards said. grow: processes that come late."""

    def __init__(self, used: int, processes: dict[int, int], *, grow: int = 0, refuse: str = "") -> None:
        self.used, self.processes, self.grow, self.refuse = used, processes, grow, refuse

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return 999 if self.refuse == "nvmlInit_v2" else 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:  # noqa: N802
        handle._obj.value = 100 + index.value
        return 0

    def nvmlDeviceGetMinorNumber(self, handle: Any, minor: Any) -> int:  # noqa: N802
        minor._obj.value = {100: 1, 101: 0}[handle.value]  # as the bus orders them, not as their nodes are called
        return 0

    def nvmlDeviceGetMemoryInfo(self, handle: Any, memory: Any) -> int:  # noqa: N802
        memory._obj.used = self.used if handle.value == 101 else 1
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v3(self, _handle: Any, count: Any, processes: Any) -> int:  # noqa: N802
        if self.refuse == "nvmlDeviceGetComputeRunningProcesses_v3":
            return 999
        room, there = count._obj.value, list(self.processes.items())
        if processes is not None and self.grow:
            self.grow, count._obj.value = self.grow - 1, room + 1
            return 7
        count._obj.value = len(there)
        if len(there) > (room if processes is not None else 0):
            return 7
        for number, (pid, used) in enumerate(there):
            processes[number].pid, processes[number].used = pid, used
        return 0


RECORDED = Reading(5000 * MB, {1234: 3000 * MB, 99: None})
AS_SAID = {1234: 3000 * MB, 99: NOT_TOLD}


@pytest.mark.parametrize("card", [RecordedCard(RECORDED), Nvml(0, RecordedLibrary(5000 * MB, AS_SAID))])
def test_a_reading_is_what_the_driver_said(card: Card) -> None:
    for _ in range(2):
        assert card.read() == RECORDED


def test_an_idle_card_and_one_that_gets_busy_meanwhile() -> None:
    assert Nvml(0, RecordedLibrary(7, {})).read() == Reading(7, {})
    assert Nvml(0, RecordedLibrary(7, {5: 6}, grow=2)).read() == Reading(7, {5: 6})
    with pytest.raises(SandboxError, match="did not list"):
        Nvml(0, RecordedLibrary(7, {5: 6}, grow=99)).read()


def test_a_card_that_does_not_answer_is_our_fault() -> None:
    with pytest.raises(SandboxError, match=r"did not list its processes \(error 999\)"):
        Nvml(0, RecordedLibrary(7, {}, refuse="nvmlDeviceGetComputeRunningProcesses_v3")).read()


@pytest.mark.parametrize(
    ("device", "library", "says"),
    [(5, RecordedLibrary(7, {}), "no card /dev/nvidia5"), (0, RecordedLibrary(7, {}, refuse="nvmlInit_v2"), "refused")],
)
def test_a_machine_without_the_card_says_what_is_needed(device: int, library: RecordedLibrary, says: str) -> None:
    with pytest.raises(SandboxUnavailable, match=says) as refused:
        Nvml(device, library)
    assert "nvidia-smi" in str(refused.value)


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has a driver")
def test_a_machine_without_a_driver_says_what_is_needed() -> None:
    with pytest.raises(SandboxUnavailable, match="The lane gpu needs an NVIDIA card"):
        Nvml(0)


@pytest.fixture
def own_family(tmp_path: Path) -> Family:
    """The processes below this one, and itself."""
    return Family(os.getpid(), tmp_path, None)


def test_only_the_sessions_own_processes_count(own_family: Family) -> None:
    before, own, others = Reading(100 * MB), {os.getpid(): 30 * MB}, {1: 5000 * MB}
    assert CardUse(RecordedCard(before, Reading(9000 * MB, own | others)), own_family).bytes() == 30 * MB
    assert CardUse(RecordedCard(before, Reading(9000 * MB, others)), own_family).bytes() == 0


@pytest.mark.parametrize("foreign", [{(1 << 22) + 7: 5 * MB}, {os.getpid(): None}])
def test_where_numbers_mean_nothing_all_that_came_into_use_counts(
    own_family: Family, foreign: dict[int, int | None]
) -> None:
    use = CardUse(RecordedCard(Reading(100 * MB), Reading(900 * MB, foreign), Reading(50 * MB, foreign)), own_family)
    assert use.bytes() == 800 * MB
    assert use.bytes() == 0
