"""How benchmarks show and keep what they measured."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One line of a table: a name and every single measurement."""

    name: str
    values: Sequence[float]


def machine() -> str:
    """The machine a figure belongs to."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.machine()}, {cores} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Median, range and count of each row."""
    print(f"{title}\n{machine()}, Python {platform.python_version()}\n")
    print(f"{'':36}{'median':>10}{'min':>10}{'max':>10}{'n':>5}")
    for row in rows:
        low, high = min(row.values), max(row.values)
        print(f"{row.name:36}{statistics.median(row.values):10.3f}{low:10.3f}{high:10.3f}{len(row.values):5}")


def write_json(name: str, rows: Sequence[Row], extra: Mapping[str, object]) -> None:
    """Keep every measurement in benchmarks/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "rows": {row.name.strip(): list(row.values) for row in rows}, **extra}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
