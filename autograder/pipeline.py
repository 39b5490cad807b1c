"""probe → check → score, on one screen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder import scoring
from autograder.checks.base import Context
from autograder.intake import Upload
from autograder.model import CheckResult, GradeReport, Observation, Outcome, Verdict
from autograder.probing import Prober
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedCheck, LoadedSpec
from autograder.specs.schema import Train

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a grading stands: what is being done, and the checks finished so far."""

    activity: str
    checks: tuple[CheckResult, ...] = ()


def grade(
    loaded: LoadedSpec,
    upload: Upload,
    sandbox: Sandbox,
    *,
    seed: int | None = None,
    data_dir: Path | None = None,
    data: DataSet | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> GradeReport:
    """Grade one upload.

    seed: default the spec's own. data: a data set already built (else the spec's builder makes it, from data_dir if it
    can). on_progress may raise to stop the grading. Raises SandboxError when our side failed, SpecError for a spec
    that can't be used; whatever the student did is in the report.
    """
    begun = time.monotonic()
    seed = loaded.spec.seed if seed is None else seed
    data = data or loaded.build_data(data_dir, loaded.spec.seed)
    prober = Prober(loaded.spec, upload, data, sandbox, seed)
    run = _Run(loaded, data, prober, seed, on_progress)
    try:
        checks = run.all_stages()
    finally:
        prober.close()
    score, max_score = scoring.total(checks)
    runtime = sandbox.runtime()
    return GradeReport(
        spec_id=loaded.spec.id,
        verdict=scoring.verdict(checks),
        score=score,
        max_score=max_score,
        checks=checks,
        remarks=prober.remarks,
        output=prober.output,
        figures=prober.figures,
        receipt={
            "spec": loaded.digest,
            "data": f"{data.name} {data.digest}",
            "submission": upload.digest,
            "seed": str(seed),
            "device": loaded.spec.lane.value,
            "sandbox": sandbox.name,
            **{f"runtime.{key}": value for key, value in runtime.items()},
        },
        seconds={**prober.seconds, "total": time.monotonic() - begun},
        warning=sandbox.warning(),
    )


@dataclass
class _Run:
    loaded: LoadedSpec
    data: DataSet
    prober: Prober
    seed: int
    on_progress: Callable[[Progress], None]
    results: list[CheckResult] = field(default_factory=list)
    observations: dict[str, Observation] = field(default_factory=dict)
    blamed: dict[str, str] = field(default_factory=dict)  # failed observation → the check that carries its verdict

    def all_stages(self) -> tuple[CheckResult, ...]:
        """Every check of every stage in order; a stage that stops on failure skips all later ones."""
        stopped_by = ""
        self._say("starting your submission")
        for stage in self.loaded.spec.stages:
            for check in [c for c in self.loaded.checks if c.stage == stage.name]:
                self._one(check, stopped_by)
            here = [r for r in self.results if r.stage == stage.name]
            if stage.stop_on_failure and not stopped_by and any(r.verdict is not Verdict.PASSED for r in here):
                stopped_by = stage.name
        return tuple(self.results)

    def _one(self, check: LoadedCheck, stopped_by: str) -> None:
        begun = time.monotonic()
        if stopped_by:
            outcome = Outcome(Verdict.SKIPPED, 0.0, f"Not run, because “{stopped_by}” has to pass first.")
            observation = Observation("none")
        else:
            observation = self._observation(check)
            outcome = self._judge(check, observation)
        result = CheckResult(
            number=len(self.results) + 1,
            id=check.spec.id,
            name=check.title,
            type=check.spec.type,
            stage=check.stage,
            score=round(check.spec.points * outcome.fraction, 3),
            max_score=check.spec.points,
            visibility=check.spec.visibility,
            verdict=outcome.verdict,
            message=outcome.message,
            hint=outcome.hint,
            evidence=outcome.evidence,
            trust=observation.trust,
            seconds=round(time.monotonic() - begun, 3),
        )
        self.results.append(result)
        self._say(f"{check.title}: {outcome.verdict.value}")

    def _observation(self, check: LoadedCheck) -> Observation:
        """The check's observation, made on first need; a training is repeated under new seeds while a check fails."""
        name = check.spec.observe
        if name not in self.observations:
            self._say(f"running {name.replace('_', ' ')}")
            self.prober.on_epoch = lambda epoch, of: self._say(f"{name.replace('_', ' ')}: epoch {epoch} of {of}")
            self.observations[name] = self._best_of_seeds(name)
        return self.observations[name]

    def _best_of_seeds(self, name: str) -> Observation:
        wanted = self.loaded.spec.observations[name]
        judged_by = [c for c in self.loaded.checks if c.spec.observe == name]
        best, best_points = None, -1.0
        runs = wanted.seeds if isinstance(wanted, Train) else 1
        for run in range(runs):
            observation = self.prober.observe(wanted, self.seed + 1000 * run)
            observation = replace(observation, values={**observation.values, "runs": run + 1})
            outcomes = [self._call_check(c, observation) for c in judged_by] if observation.failure is None else []
            points = sum(c.spec.points * o.fraction for c, o in zip(judged_by, outcomes, strict=False))
            if best is None or points > best_points:
                best, best_points = observation, points
            if observation.failure is not None or all(o.verdict is Verdict.PASSED for o in outcomes):
                break
        if best is None:
            raise AssertionError("seeds is at least 1")
        return best

    def _judge(self, check: LoadedCheck, observation: Observation) -> Outcome:
        """The check's outcome; a failed observation counts once, its other checks are skipped."""
        failure = observation.failure
        if failure is None:
            return self._call_check(check, observation)
        name = check.spec.observe
        if name in self.blamed:
            return Outcome(Verdict.SKIPPED, 0.0, f"Not judged, because “{self.blamed[name]}” could not be run.")
        self.blamed[name] = check.title
        evidence = {"traceback": failure.trace} if failure.trace else {}
        return Outcome(failure.verdict, 0.0, failure.message, failure.hint, evidence)

    def _call_check(self, check: LoadedCheck, observation: Observation) -> Outcome:
        context = Context(self.data.arrays, self.data.class_names)
        try:
            return check.check.judge(observation, context, check.params_for(self.data.name))
        except Exception:
            log.exception("check %s of %s raised", check.spec.id, self.loaded.spec.id)
            return Outcome(
                Verdict.GRADER_ERROR,
                0.0,
                "This check itself broke. That is our fault, not yours: it costs you nothing and is being looked at.",
            )

    def _say(self, activity: str) -> None:
        self.on_progress(Progress(activity, tuple(self.results)))
