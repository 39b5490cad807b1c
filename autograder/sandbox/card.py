"""How much of a graphics card's memory the processes of a session use, asked of the driver through NVML.

The kernel does not count it, so a watchdog does. Written after the library's documentation; not run on a card.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox.tree import Processes

_LIBRARY = "libnvidia-ml.so.1"
_OK, _TOO_SMALL = 0, 7
_NOT_TOLD = (1 << 64) - 1  # by drivers that share the card between virtual machines
_TRIES = 4  # processes may start between asking how many there are and asking for them


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes of one card: in use by everybody, and by each process, under numbers of the machine's first namespace.

    A process whose use the driver does not tell has None.
    """

    used: int
    by_process: Mapping[int, int | None] = field(default_factory=dict)


class Card(Protocol):
    """One card's memory."""

    def read(self) -> Reading:
        """What is in use now. Raises SandboxError if the driver does not answer."""


class CardUse:
    """What one session uses of a card. Made before the session has touched it."""

    def __init__(self, card: Card, processes: Processes) -> None:
        """Raises SandboxError."""
        self._card = card
        self._processes = processes
        self._before = card.read().used

    def bytes(self) -> int:
        """What the session's processes use.

        In a container the driver names processes by numbers that mean nothing there. Then all that came into use since
        the session started is taken for its own, which is right while one grading at a time has the card.
        """
        reading = self._card.read()
        if all(told is not None and Path(f"/proc/{number}").exists() for number, told in reading.by_process.items()):
            return sum(told or 0 for number, told in reading.by_process.items() if self._processes.owns(number))
        return max(reading.used - self._before, 0)


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Process(ctypes.Structure):
    """nvmlProcessInfo_t as version 3 of the call has it."""

    _fields_ = [
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    ]


class Nvml:
    """Implements Card with the driver's library."""

    def __init__(self, device: int, library: Any = None) -> None:
        """device: number of the card's node, /dev/nvidia0 being 0. library: the loaded libnvidia-ml.

        Raises SandboxUnavailable.
        """
        try:
            self._library = library or ctypes.CDLL(_LIBRARY)
            self._ask("nvmlInit_v2")
            self._handle = self._find(device)
        except (OSError, AttributeError, SandboxError) as error:
            raise SandboxUnavailable(
                f"The memory of the graphics card can't be watched: {error}. The lane gpu needs an NVIDIA card and its "
                f"driver with {_LIBRARY} (`nvidia-smi` must work where the worker runs)."
            ) from error

    def read(self) -> Reading:
        """What is in use now. Raises SandboxError if the driver does not answer."""
        memory = _Memory()
        self._ask("nvmlDeviceGetMemoryInfo", self._handle, ctypes.byref(memory))
        found = {p.pid: None if p.used == _NOT_TOLD else int(p.used) for p in self._processes()}
        return Reading(int(memory.used), found)

    def _processes(self) -> list[_Process]:
        for _ in range(_TRIES):
            count = ctypes.c_uint(0)
            said = self._said("nvmlDeviceGetComputeRunningProcesses_v3", self._handle, ctypes.byref(count), None)
            if said == _OK:
                return []
            count.value += 8
            processes = (_Process * count.value)()
            said = self._said("nvmlDeviceGetComputeRunningProcesses_v3", self._handle, ctypes.byref(count), processes)
            if said == _OK:
                return list(processes[: count.value])
            if said != _TOO_SMALL:
                break
        raise SandboxError(f"the driver of the graphics card did not list its processes (error {said})")

    def _find(self, device: int) -> Any:
        """The handle of a card by the number of its node, which need not be its number in this library."""
        count = ctypes.c_uint(0)
        self._ask("nvmlDeviceGetCount_v2", ctypes.byref(count))
        for index in range(count.value):
            handle, minor = ctypes.c_void_p(), ctypes.c_uint(0)
            self._ask("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
            self._ask("nvmlDeviceGetMinorNumber", handle, ctypes.byref(minor))
            if minor.value == device:
                return handle
        raise SandboxError(f"there is no card /dev/nvidia{device} among {count.value}")

    def _ask(self, name: str, *arguments: Any) -> None:
        """Call a function of the library. Raises SandboxError."""
        if said := self._said(name, *arguments):
            raise SandboxError(f"the driver of the graphics card refused {name} (error {said})")

    def _said(self, name: str, *arguments: Any) -> int:
        return int(getattr(self._library, name)(*arguments))
