"""The words of the house as types: verdicts, observations, check results, reports. Pure data, no input or output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, Self


class Verdict(StrEnum):
    """How a check, or a whole grading, ended. `grader_error` is our fault and is never a zero."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    SKIPPED = "skipped"
    GRADER_ERROR = "grader_error"


class Visibility(StrEnum):
    """When a student may see a check result (Gradescope's four values)."""

    VISIBLE = "visible"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    HIDDEN = "hidden"


class Trust(StrEnum):
    """Where an observation comes from."""

    MEASURED = "measured"  # the judge computed it from outputs on inputs it chose
    REPORTED = "reported"  # the student process's own word


class Lane(StrEnum):
    """Which Celery queue grades a job."""

    CPU = "cpu"
    GPU = "gpu"


class JobState(StrEnum):
    """The life of a grading job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class Role(StrEnum):
    """What a person is in a course."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"


@dataclass(frozen=True, slots=True)
class ProbeFailure:
    """Why a probe gave no (complete) answer.

    `message` is safe to show a student: the pipeline builds it, and leaves out the student process's own words once
    hidden inputs have entered that process.
    """

    verdict: Verdict
    message: str
    hint: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a probe answered: arrays and scalars, all of them untrusted.

    `values` is a tree of dicts, lists, str, int, float, bool, None and numpy arrays. A probe that was cut short keeps
    what it had sent (`failure` says why it stopped).
    """

    probe: str
    values: Mapping[str, Any] = field(default_factory=dict)
    trust: Trust = Trust.MEASURED
    failure: ProbeFailure | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number a check measured and the limit it was held against. For proofs and reruns; never part of a report.

    name: unique within the check. direction: `above` if the value must be at least the limit, `below` if at most.
    param: the check's parameter that holds the limit, if one does. scale: what a distance is measured in; default: the
    limit's size (1 where the limit is 0). step: the least by which two values can differ, 0 if any number can come.
    """

    name: str
    value: float
    limit: float
    direction: Literal["above", "below"] = "above"
    param: str = ""
    scale: float = 0.0
    step: float = 0.0

    @classmethod
    def share(
        cls,
        name: str,
        value: float,
        limit: float,
        direction: Literal["above", "below"] = "above",
        param: str = "",
        of: int = 0,
    ) -> Self:
        """A value between 0 and 1, such as an accuracy: distances are measured in what is left to the nearer end.

        of: how many things were counted, if any were.
        """
        return cls(name, value, limit, direction, param, max(min(limit, 1 - limit), 0.01), 1 / of if of else 0.0)

    @classmethod
    def excess(cls, value: float, param: str) -> Self:
        """A difference as a multiple of what is allowed, 1 being just allowed. param: what says how much is."""
        return cls("difference, as a multiple of what is allowed", value, 1.0, "below", param)

    @property
    def distance(self) -> float:
        """How far the value is from the limit: positive on the right side of it. NaN stays NaN."""
        return self.value - self.limit if self.direction == "above" else self.limit - self.value

    @property
    def unit(self) -> float:
        """What distances are measured in."""
        return self.scale or abs(self.limit) or 1.0

    @property
    def margin(self) -> float:
        """The distance in units of the scale."""
        return self.distance / self.unit


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check's judgement before points and visibility are added.

    fraction: share of the points, 0 to 1. evidence: JSON-able, shown wherever the check is visible, so it must hold no
    hidden value; a `plots` list inside it is drawn on the page (see docs/adding-a-check.md). statistics: what a
    threshold decided, where one did.
    """

    verdict: Verdict
    fraction: float
    message: str
    hint: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    statistics: tuple[Statistic, ...] = ()

    def measured(self, *statistics: Statistic) -> Outcome:
        """The same judgement with what was measured."""
        return replace(self, statistics=statistics)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of a report. Field names follow Gradescope's results.json where it has them."""

    number: int
    id: str
    name: str
    type: str
    stage: str
    score: float
    max_score: float
    visibility: Visibility
    verdict: Verdict
    message: str
    hint: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    trust: Trust = Trust.MEASURED
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a student should know that costs no points (a skipped cell, a class defined twice)."""

    code: str
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class GradeReport:
    """Everything one grading job found, with what is needed to repeat it (the receipt)."""

    spec_id: str
    verdict: Verdict
    score: float
    max_score: float
    checks: tuple[CheckResult, ...]
    remarks: tuple[Remark, ...] = ()
    output: str = ""  # what the submission printed before any hidden input reached it
    figures: tuple[bytes, ...] = ()  # PNG images the notebook drew in run-all mode
    receipt: Mapping[str, str] = field(
        default_factory=dict
    )  # digests (spec, code, data, runtime), seed, machine, sandbox
    seconds: Mapping[str, float] = field(default_factory=dict)  # start, load, probes, checks, total
    warning: str = ""  # e.g. that the sandbox was weaker than it should be
