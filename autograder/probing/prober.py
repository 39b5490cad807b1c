"""Runs one probe after the other on a student process, whatever happens to it in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.errors import SandboxStopped
from autograder.model import Lane, Observation, ProbeFailure, Trust, Verdict
from autograder.probing import calls, extras, inspection, models, training
from autograder.probing.process import ProbeFailed, StudentProcess
from autograder.probing.untrusted import number, weight
from autograder.specs.schema import ObservationSpec, UsageOf

Probe = Callable[[StudentProcess, Any, int, dict[str, Any]], None]

_PROBES: dict[str, Probe] = {
    "resolve": models.resolve,
    "construct": models.construct,
    "forward": models.forward,
    "gradient_norms": training.gradient_norms,
    "overfit": training.overfit,
    "train": training.train,
    "call": calls.call,
    "calls": calls.calls,
    "predict": models.predict,
    "trace": inspection.trace,
    "behave": inspection.behave,
    "moves": inspection.moves,
    "schedule": extras.schedule,
    "checkpoint": extras.checkpoint,
    "source": extras.source,
    "usage": extras.usage,
}
_WITHOUT_PROCESS = frozenset({"source", "usage"})  # what the judge knows itself
MOST_KEPT = 256 << 20  # bytes of all answers of a grading; what right work answers takes a few millions
_TOO_MUCH = ProbeFailure(
    Verdict.OUTPUT_LIMIT,
    f"Your program's answers take more than {MOST_KEPT >> 20} MB in all.",
    "Return what is asked for and no more: small arrays of numbers.",
)


@dataclass
class Prober(StudentProcess):
    """A student process that answers the observations of its spec. kept: bytes of the answers so far."""

    kept: int = 0

    def observe(self, observation: ObservationSpec, seed: int) -> Observation:
        """Run one probe. What goes wrong on the student's side is in `.failure`. Raises SandboxError if it is ours."""
        begun = time.monotonic()
        partial: dict[str, Any] = {}
        failure, tainted, trust = None, False, observation.trust
        try:
            if observation.probe not in _WITHOUT_PROCESS:
                if self.kept > MOST_KEPT:
                    raise ProbeFailed(_TOO_MUCH)
                self.ensure_loaded()
                self._begin_measuring(observation)
            begun = time.monotonic()
            self.deadline = time.monotonic() + (observation.wall_s or self.spec.limits.wall_s)
            _PROBES[observation.probe](self, observation, seed, partial)
            self._end_measuring(observation, time.monotonic() - begun)
        except ProbeFailed as failed:
            failure, trust = failed.failure, Trust.MEASURED
        except SandboxStopped as stopped:
            failure, trust, tainted = self.stopped(stopped), Trust.MEASURED, self.tainted
            self.drop()
        if not self._fits(partial):
            failure, trust = _TOO_MUCH, Trust.MEASURED
            partial.clear()
        partial["tainted"] = tainted or self.tainted  # the judge's own word, so set last
        taken = time.monotonic() - begun
        self.count("probes", taken)
        return Observation(observation.probe, partial, trust, failure, taken)

    def _fits(self, values: dict[str, Any]) -> bool:
        """Count what the judge keeps of the whole grading. False if it is too much.

        The caps of the wire hold for each process, and each that ends is followed by another.
        """
        self.kept += weight(values)
        return self.kept <= MOST_KEPT

    def _begin_measuring(self, observation: ObservationSpec) -> None:
        """Leave out what was used so far, if somebody wants to know what this observation uses."""
        if self._is_measured(observation):
            self.measure()
            if self.spec.lane is Lane.GPU:
                self.ask("gpu_memory", {})

    def _end_measuring(self, observation: ObservationSpec, seconds: float) -> None:
        """Note what an observation used, for those that tell it. The card's memory is the process's own word."""
        names = self._is_measured(observation)
        if not names:
            return
        used = self.measure()
        card = number(self.ask("gpu_memory", {}).get("peak_mb")) if self.spec.lane is Lane.GPU else None
        row = {"seconds": seconds, "cpu_s": used.cpu_s, "peak_mb": used.peak_memory_mb, "gpu_mb": card}
        self.used |= dict.fromkeys(names, row)

    def _is_measured(self, observation: ObservationSpec) -> list[str]:
        """The names under which a `usage` observation asks for this one."""
        wanted = {other.of for other in self.spec.observations.values() if isinstance(other, UsageOf)}
        return [name for name in wanted if self.spec.observations.get(name) is observation]
