"""Watches gradings for the proofs: what was observed (as digests), what was measured, and where one may stop early."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.checks.base import Check, Context
from autograder.model import Observation, Outcome, Statistic, Trust, Verdict
from autograder.pipeline import Witness
from autograder.probing import Prober
from autograder.specs.loader import LoadedCheck, LoadedSpec

_NOT_RESULTS = frozenset({"seconds", "where", "trace", "cpu_s", "peak_mb", "gpu_mb"})
UNREPEATABLE = frozenset({"usage", "source", "none"})  # probes whose answer changes without a change of behaviour


class Stopped(Exception):
    """A grading was stopped because its end is known."""


def digest(value: Any) -> str:
    """SHA-256 of an observation's values, without times and places."""
    total = hashlib.sha256()
    _feed(total, value)
    return total.hexdigest()


def _feed(total: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        total.update(b"{")
        for key in sorted(map(str, value)):
            if key not in _NOT_RESULTS:
                total.update(key.encode() + b"=")
                _feed(total, value.get(key))
        total.update(b"}")
    elif isinstance(value, list | tuple):
        total.update(b"[")
        for item in value:
            _feed(total, item)
        total.update(b"]")
    elif isinstance(value, np.ndarray):
        total.update(f"{value.dtype.str}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    else:
        total.update(f"{type(value).__name__}:{value!r};".encode())


@dataclass
class Recorder(Witness):
    """Keeps what a grading saw.

    outcomes: by check id. digests, seconds: by observation; of those that checks name under `also` alone there are
    seconds only, and only if the spec was graded as `following` makes it. gpu_mb: the card's memory by observation,
    where the spec has one of its usage.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    gpu_mb: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    cpu_s: float = 0.0

    def judged(self, check: LoadedCheck, observation: Observation, outcome: Outcome) -> None:
        """Keep outcome, digest and time."""
        self.outcomes[check.spec.id] = outcome
        name = check.spec.observe
        if observation.probe not in UNREPEATABLE and name not in self.digests:
            failed = "" if observation.failure is None else observation.failure.message
            self.digests[name] = digest([observation.values, failed])
        if observation.probe != "none":
            self.seconds[name] = observation.seconds

    def ended(self, prober: Prober) -> None:
        """Keep what the processes used."""
        self.peak_mb, self.cpu_s = prober.peak_mb, prober.most_cpu_s
        for name, used in prober.used.items():
            self.seconds.setdefault(name, used["seconds"] or 0.0)
            self.gpu_mb[name] = used["gpu_mb"] or 0.0

    def statistics(self) -> dict[str, Statistic]:
        """`check.statistic` → what was measured, finite values only."""
        return {
            f"{check}.{s.name}": s
            for check, outcome in self.outcomes.items()
            for s in outcome.statistics
            if math.isfinite(s.value)
        }


class _Followed(Check):
    """A check that judges and looks as it does, and keeps how long the other observations took that it is given."""

    def __init__(self, check: Check, also: Mapping[str, str], seen: Recorder) -> None:
        self._check, self._also, self._seen = check, also, seen

    def __getattr__(self, name: str) -> Any:  # its kind, title and probes
        return getattr(self._check, name)

    def trust(self, observation: Observation, context: Context, params: Any) -> Trust:
        """As the check says."""
        return self._check.trust(observation, context, params)

    def judge(self, observation: Observation, context: Context, params: Any) -> Outcome:
        """As the check does."""
        for role, other in context.also.items():
            self._seen.seconds.setdefault(self._also[role], other.seconds)
        return self._check.judge(observation, context, params)


def following(loaded: LoadedSpec, seen: Recorder) -> LoadedSpec:
    """The spec with checks that keep the seconds of what they compare with: a witness is told of the main one alone."""
    checks = (
        replace(check, check=_Followed(check.check, check.spec.also, seen)) if check.spec.also else check
        for check in loaded.checks
    )
    return replace(loaded, checks=tuple(checks))


@dataclass
class UntilCaught(Recorder):
    """Stops at the first check with points that does not pass; `caught_by` and `how` say which and how."""

    caught_by: str = ""
    how: Verdict = Verdict.PASSED

    def judged(self, check: LoadedCheck, observation: Observation, outcome: Outcome) -> None:
        """Stop at the first catch."""
        super().judged(check, observation, outcome)
        if check.spec.points > 0 and outcome.verdict is not Verdict.PASSED:
            self.caught_by, self.how = check.spec.id, outcome.verdict
            raise Stopped


@dataclass
class UntilDifferent(Recorder):
    """Stops at the first observation that is not what the original's was."""

    original: Mapping[str, str] = field(default_factory=dict)

    def judged(self, check: LoadedCheck, observation: Observation, outcome: Outcome) -> None:
        """Stop at the first difference."""
        super().judged(check, observation, outcome)
        name = check.spec.observe
        if observation.probe not in UNREPEATABLE and self.digests.get(name) != self.original.get(name):
            raise Stopped
