"""Thresholds that were measured: grader_specs/<id>/calibration/<data set>-<lane>.json; `{calibrated: KEY}` in a spec.

KEY is `<check id>.<statistic>`. `bin/autograder spec calibrate` writes the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.errors import SpecError
from autograder.model import Lane
from autograder.specs.source import suggest

# What a threshold takes on trust at the stated rate: nothing, there being runs enough; that the values are normal; or
# their spread, because they hardly differ or most are the best there is.
Assumes = Literal["nothing", "normal", "spread"]
PLACEHOLDER = 0.5  # while calibrating, before there is a number


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Model):
    """One statistic of one accepted solution over the seeds. values: in order of size, four digits."""

    mean: float
    sd: float
    values: tuple[float, ...]


class Calibrated(_Model):
    """One statistic: the threshold that right solutions miss at most as often as the calibration says."""

    direction: Literal["above", "below"]
    threshold: float
    assumes: Assumes = "normal"
    solutions: dict[str, Spread]


class Calibration(_Model):
    """A calibration file. digests: what the numbers depend on, so that a change can be noticed."""

    spec: str
    data: str
    lane: Lane
    seeds: int
    false_fail: float
    confidence: float
    digests: dict[str, str]
    statistics: dict[str, Calibrated]


def path_of(folder: Path, data: str, lane: Lane) -> Path:
    """Where a spec's calibration on a data set and lane lies."""
    return folder / "calibration" / f"{data}-{lane.value}.json"


def read(folder: Path, data: str, lane: Lane) -> Calibration | None:
    """A spec's calibration, None if there is no such file. Raises SpecError for one that can't be read."""
    path = path_of(folder, data, lane)
    if not path.exists():
        return None
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: is no calibration", f"Delete it and run: {command(folder.name)}") from error


def spreads(folder: Path, data: str, lane: Lane) -> dict[str, dict[str, float]]:
    """Check id → statistic → the largest standard deviation over the seeds that a right solution had."""
    found = read(folder, data, lane)
    by_check: dict[str, dict[str, float]] = {}
    for key, statistic in found.statistics.items() if found else ():
        check, _, name = key.partition(".")
        by_check.setdefault(check, {})[name] = max(spread.sd for spread in statistic.solutions.values())
    return by_check


def command(spec_id: str) -> str:
    """What to run for a calibration."""
    return f"bin/autograder spec calibrate {spec_id}"


def references(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The parameters written as `{calibrated: KEY}` or `{calibrated: KEY, else: NUMBER}`, by name."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, Mapping) and "calibrated" in value and set(value) <= {"calibrated", "else"}
    }


def resolved(values: Mapping[str, Any], found: Calibration | None, *, calibrating: bool = False) -> dict[str, Any]:
    """Parameters with numbers in place of references. Raises SpecError (without a place) where there is none."""
    numbers: dict[str, Any] = dict(values)
    for name, reference in references(values).items():
        key = str(reference["calibrated"])
        if found is not None and key in found.statistics:
            numbers[name] = found.statistics[key].threshold
        elif "else" in reference:
            numbers[name] = reference["else"]
        elif calibrating:
            numbers[name] = PLACEHOLDER
        elif found is not None:
            raise SpecError(f"'{key}' is not in the calibration", suggest(key, found.statistics))
        else:
            raise SpecError(f"'{name}' is calibrated, but there is no calibration", "")
    return numbers
