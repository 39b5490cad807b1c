"""Runs one probe after the other on a student process, whatever happens to it in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.errors import SandboxStopped
from autograder.model import Observation, Trust
from autograder.probing import calls, inspection, models, training
from autograder.probing.process import ProbeFailed, StudentProcess
from autograder.specs.schema import ObservationSpec

Probe = Callable[[StudentProcess, Any, int, dict[str, Any]], None]

_PROBES: dict[str, tuple[Probe, Trust]] = {
    "resolve": (models.resolve, Trust.REPORTED),
    "construct": (models.construct, Trust.REPORTED),
    "forward": (models.forward, Trust.MEASURED),
    "gradient_norms": (training.gradient_norms, Trust.REPORTED),
    "overfit": (training.overfit, Trust.MEASURED),
    "train": (training.train, Trust.MEASURED),
    "call": (calls.call, Trust.MEASURED),
    "calls": (calls.calls, Trust.MEASURED),
    "predict": (models.predict, Trust.MEASURED),
    "trace": (inspection.trace, Trust.REPORTED),
    "behave": (inspection.behave, Trust.REPORTED),
    "moves": (inspection.moves, Trust.REPORTED),
}


@dataclass
class Prober(StudentProcess):
    """A student process that answers the observations of its spec."""

    def observe(self, observation: ObservationSpec, seed: int) -> Observation:
        """Run one probe. What goes wrong on the student's side is in `.failure`. Raises SandboxError if it is ours."""
        begun = time.monotonic()
        partial: dict[str, Any] = {}
        failure, tainted = None, False
        probe, trust = _PROBES[observation.probe]
        try:
            self.ensure_loaded()
            begun = time.monotonic()
            self.deadline = time.monotonic() + (observation.wall_s or self.spec.limits.wall_s)
            probe(self, observation, seed, partial)
        except ProbeFailed as failed:
            failure, trust = failed.failure, Trust.MEASURED
        except SandboxStopped as stopped:
            failure, trust, tainted = self.stopped(stopped), Trust.MEASURED, self.tainted
            self.drop()
        partial["tainted"] = tainted or self.tainted  # the judge's own word, so set last
        taken = time.monotonic() - begun
        self.count("probes", taken)
        return Observation(observation.probe, partial, trust, failure, taken)
