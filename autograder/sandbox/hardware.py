"""Which processor and which graphics card a grading runs on, as the kernel names them; for the receipt."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

_CPUINFO, _CARDS = Path("/proc/cpuinfo"), Path("/proc/driver/nvidia/gpus")


@cache
def processor(cpuinfo: Path = _CPUINFO) -> str:
    """The processor's model, or its architecture where no model is named (ARM)."""
    found = re.search(r"^model name\s*:\s*(\S.*)$", _text(cpuinfo), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


@cache
def card(number: int = 0, cards: Path = _CARDS) -> str:
    """The model of /dev/nvidia<number>, or `unknown` where the driver does not tell."""
    for path in sorted(cards.glob("*/information")):
        pairs = (line.partition(":") for line in _text(path).splitlines())
        told = {name.strip(): value.strip() for name, _, value in pairs}
        if told.get("Device Minor") == str(number):
            return told.get("Model") or "unknown"
    return "unknown"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
