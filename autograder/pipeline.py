"""probe → check → score, on one screen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autograder import installed, reseeding, scoring
from autograder.checks.base import Context
from autograder.intake import Upload
from autograder.model import CheckResult, GradeReport, Lane, Observation, Outcome, Trust, Verdict, Visibility
from autograder.probing import Prober
from autograder.sandbox import hardware
from autograder.sandbox.base import Limits, Sandbox
from autograder.specs import calibration
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedCheck, LoadedSpec
from autograder.specs.schema import UsageOf

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a grading stands: what is being done, and the checks finished so far."""

    activity: str
    checks: tuple[CheckResult, ...] = ()


class Witness:
    """Sees more of a grading than its report tells; for proofs of a spec. As it stands it does nothing."""

    def judged(self, check: LoadedCheck, observation: Observation, outcome: Outcome) -> None:
        """A check was judged, `observation.probe` being `none` for one that was skipped. May raise to stop."""

    def ended(self, prober: Prober) -> None:
        """The grading is over and the student's processes are killed."""


def grade(
    loaded: LoadedSpec,
    upload: Upload,
    sandbox: Sandbox,
    *,
    seed: int | None = None,
    data_dir: Path | None = None,
    data: DataSet | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    witness: Witness | None = None,
) -> GradeReport:
    """Grade one upload.

    seed: default the spec's own. data: a data set already built (else the spec's builder makes it, from data_dir if it
    can). on_progress may raise to stop the grading. Raises SandboxError when our side failed, SpecError for a spec
    that can't be used; whatever the student did is in the report.
    """
    begun = time.monotonic()
    seed = loaded.spec.seed if seed is None else seed
    data = data or loaded.build_data(data_dir, loaded.spec.seed)
    loaded = loaded.on(data.name)
    prober = Prober(loaded.spec, upload, data, sandbox, seed)
    witness = witness or Witness()
    run = _Run(loaded, data, prober, seed, on_progress, witness)
    try:
        checks = run.all_stages()
    finally:
        prober.close()
    witness.ended(prober)
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
            "code": installed.grader_code(),
            "data": f"{data.name} {data.digest}",
            "submission": upload.digest,
            "seed": str(seed),
            "device": loaded.spec.lane.value,
            **_hardware(loaded.spec.lane),
            "sandbox": sandbox.name,
            **{f"runtime.{key}": value for key, value in runtime.items()},
        },
        seconds={**prober.seconds, "total": time.monotonic() - begun},
        warning=sandbox.warning(),
    )


def _hardware(lane: Lane) -> dict[str, str]:
    """What rounds numbers its own way."""
    cards = {"card": hardware.card()} if lane is Lane.GPU else {}
    return {"processor": hardware.processor(), **cards, "threads": str(Limits().threads)}


@dataclass
class _Run:
    loaded: LoadedSpec
    data: DataSet
    prober: Prober
    seed: int
    on_progress: Callable[[Progress], None]
    witness: Witness
    results: list[CheckResult] = field(default_factory=list)
    observations: dict[str, Observation] = field(default_factory=dict)
    settled: dict[str, Outcome] = field(default_factory=dict)  # by check id, where several seeds decided
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
            observation, trust = Observation("none"), Trust.MEASURED
        else:
            for name in check.spec.also.values():  # first, so that a training can be judged with them
                self._observation(name)
            observation = self._observation(check.spec.observe)
            outcome, trust = self._judge(check, observation), self._trust(check, observation)
        self.witness.judged(check, observation, outcome)
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
            hint=_hint(check, outcome),
            evidence=_fit_to_show(outcome.evidence, observation),
            trust=trust,
            seconds=round(time.monotonic() - begun, 3),
        )
        self.results.append(result)
        self._say(f"{check.title}: {outcome.verdict.value}")

    def _observation(self, name: str) -> Observation:
        """An observation, made on first need, and again under new seeds while a check on it is too close."""
        if name not in self.observations:
            wanted = self.loaded.spec.observations[name]
            if isinstance(wanted, UsageOf):
                self._observation(wanted.of)
            self._say(f"running {name.replace('_', ' ')}")
            self.prober.on_epoch = lambda epoch, of: self._say(f"{name.replace('_', ' ')}: epoch {epoch} of {of}")
            self.observations[name] = self.prober.observe(wanted, self.seed)
            self._reseed(name)
        return self.observations[name]

    def _reseed(self, name: str) -> None:
        """Let several seeds decide the checks that one leaves open. A run that breaks down ends all of it.

        Each run has a process of its own: with fresh limits, and nothing left from the run before.
        """
        wanted, first = self.loaded.spec.observations[name], self.observations[name]
        if wanted.reseed is None or first.failure is not None:
            return
        rule = wanted.reseed.rule()
        # What compares it with an observation that is not there yet is judged by this run alone.
        here = [c for c in self.loaded.checks if c.spec.observe == name and self._has_also(c)]
        runs = {c.spec.id: [self._call_check(c, first)] for c in here}
        judged = [c for c in self.loaded.checks if c.spec.id in runs]
        spreads = calibration.spreads(self.loaded.folder, self.data.name, self.loaded.spec.lane)
        checks = [c for c in judged if rule.is_close(runs[c.spec.id][0], spreads.get(c.spec.id, {}))]
        for number in range(1, rule.max_runs):
            undecided = [c for c in checks if rule.decide(_passes(runs[c.spec.id])) is None]
            if not undecided:
                break
            self._say(f"{name.replace('_', ' ')}: a close result, run {number + 1} under another seed")
            self.prober.restart()
            again = self.prober.observe(wanted, self.seed + 1000 * number)
            if again.failure is not None:
                self.observations[name] = again
                return
            for check in undecided:
                runs[check.spec.id].append(self._call_check(check, again))
        for check in checks:
            outcomes = runs[check.spec.id]
            self.settled[check.spec.id] = reseeding.settle(outcomes, bool(rule.decide(_passes(outcomes))))

    def _has_also(self, check: LoadedCheck) -> bool:
        made = [self.observations.get(name) for name in check.spec.also.values()]
        return all(observation is not None and observation.failure is None for observation in made)

    def _judge(self, check: LoadedCheck, observation: Observation) -> Outcome:
        """The check's outcome; a failed observation counts once, other checks that need it are skipped."""
        for name in self._needed(check):
            failure = self.observations[name].failure
            if failure is None:
                continue
            judge = self.blamed.get(name) or self._other_judge(name, check)
            if judge is not None:
                return Outcome(Verdict.SKIPPED, 0.0, f"Not judged, because “{judge}” could not be run.")
            self.blamed[name] = check.title
            evidence = {"traceback": failure.trace} if failure.trace else {}
            return Outcome(failure.verdict, 0.0, failure.message, failure.hint, evidence)
        return self.settled.get(check.spec.id) or self._call_check(check, observation)

    def _trust(self, check: LoadedCheck, observation: Observation) -> Trust:
        """Whose word a result rests on. That an observation failed the judge sees itself."""
        if any(self.observations[name].failure is not None for name in self._needed(check)):
            return Trust.MEASURED
        return check.check.trust(observation, self._context(check), check.params_for(self.data.name))

    def _context(self, check: LoadedCheck) -> Context:
        data = self.data
        also = {role: self.observations[name] for role, name in check.spec.also.items()}
        return Context(
            data.arrays, data.class_names, data.cases, data.facts, data.hidden, MappingProxyType(also), data.name
        )

    def _needed(self, check: LoadedCheck) -> list[str]:
        """The observations whose failure is this check's: those it names, and those that these tell the usage of."""
        named = [check.spec.observe, *check.spec.also.values()]
        told = [self.loaded.spec.observations[name] for name in named]
        return [*named, *(wanted.of for wanted in told if isinstance(wanted, UsageOf))]

    def _other_judge(self, name: str, check: LoadedCheck) -> str | None:
        """Title of the check that will carry a failed observation's verdict, None if this one has to.

        Where a check that students see at once is among those of this stage, it does: they need the error to go on.
        """
        direct = [c for c in self.loaded.checks if c.spec.observe == name]
        seen = [c for c in direct if c.spec.visibility is Visibility.VISIBLE and c.stage == check.stage]
        if check.spec.observe == name:
            return seen[0].title if seen and check not in seen else None
        return next((c.title for c in (*seen, *direct)), None)

    def _call_check(self, check: LoadedCheck, observation: Observation) -> Outcome:
        try:
            return check.check.judge(observation, self._context(check), check.params_for(self.data.name))
        except Exception:
            log.exception("check %s of %s raised", check.spec.id, self.loaded.spec.id)
            return Outcome(
                Verdict.GRADER_ERROR,
                0.0,
                "This check itself broke. That is our fault, not yours: it costs you nothing and is being looked at.",
            )

    def _say(self, activity: str) -> None:
        self.on_progress(Progress(activity, tuple(self.results)))


def _passes(outcomes: list[Outcome]) -> list[bool]:
    return [outcome.verdict is Verdict.PASSED for outcome in outcomes]


def _fit_to_show(evidence: Mapping[str, Any], observation: Observation) -> Mapping[str, Any]:
    """A check's evidence, none where it lists what a process reports that has seen hidden inputs: it could be those."""
    told = observation.trust is Trust.REPORTED and observation.values.get("tainted") is True
    return {} if told else evidence


def _hint(check: LoadedCheck, outcome: Outcome) -> str:
    """The check type's advice and, where an answer was judged and not right, the spec's own."""
    own = check.spec.hint if outcome.verdict in (Verdict.FAILED, Verdict.PARTIAL) else ""
    return f"{outcome.hint} {own}".strip()
