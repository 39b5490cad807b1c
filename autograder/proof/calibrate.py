"""Measures thresholds: accepted solutions under many seeds, and the limit that right work misses once in 100 runs.

For each solution the threshold is a one-sided normal tolerance bound: with `confidence` (95 %), 1 − `false_fail` (99 %)
of its runs lie on the right side of mean ∓ k · sd, where k is a quantile of the noncentral t distribution (G. J. Hahn,
W. Q. Meeker, Statistical Intervals, Wiley, 1991, section 4.6). Accuracies and losses are not normal, so the bound is
never tighter than the worst value seen, and the worst solution counts. Values that hardly differ say nothing about how
far others spread: their deviation is taken for one step (one example of a test set), or for a hundredth of their size.
What a threshold assumes is kept with it (`Calibrated.assumes`). The number is a bound for a single run; `reseed` makes
what a student meets rarer still.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from autograder import installed, pipeline
from autograder.errors import SpecError
from autograder.intake import unpack
from autograder.model import Statistic, Verdict
from autograder.proof.pool import Pool
from autograder.proof.watch import Recorder
from autograder.specs.calibration import Assumes, Calibrated, Calibration, Spread, command, read
from autograder.specs.dataset import DataSet
from autograder.specs.folder import spec_files
from autograder.specs.loader import OWN_CHECKS, LoadedSpec
from autograder.specs.solutions import Solution

Values = np.ndarray[tuple[int], np.dtype[np.float64]]
FALSE_FAIL, CONFIDENCE = 0.01, 0.95
LEAST_SEEDS = 5


@dataclass(frozen=True)
class Run:
    """One solution under one seed. passed: by check id."""

    solution: str
    seed: int
    statistics: dict[str, Statistic]
    passed: dict[str, bool]


def runs(
    loaded: LoadedSpec,
    data: DataSet,
    solutions: Sequence[Solution],
    seeds: int,
    pool: Pool,
    on_run: Callable[[Run], None] = lambda _run: None,
) -> list[Run]:
    """Every solution under seeds 0, 1, 2 …, each run by itself: nothing is run again when it is close.

    After the first seed only checks that measure something are looked at, with the observations they need.
    """
    single = _single(loaded)
    found = []
    for run in pool.map(lambda solution: one_run(single, data, solution, 0, pool), solutions):
        found.append(run)
        on_run(run)
    keys = {key.split(".")[0] for run in found for key in run.statistics}
    single = replace(single, checks=tuple(c for c in single.checks if c.spec.id in keys))
    wanted = [(solution, seed) for solution in solutions for seed in range(1, seeds)] if keys else []
    for run in pool.map(lambda item: one_run(single, data, *item, pool), wanted):
        found.append(run)
        on_run(run)
    return found


def _single(loaded: LoadedSpec) -> LoadedSpec:
    """The spec with one run of everything."""
    observations = {n: o.model_copy(update={"reseed": None}) for n, o in loaded.spec.observations.items()}
    return replace(loaded, spec=loaded.spec.model_copy(update={"observations": observations}))


def one_run(loaded: LoadedSpec, data: DataSet, solution: Solution, seed: int, pool: Pool) -> Run:
    """Grade a solution once under a seed."""
    seen = Recorder()
    with pool.sandbox() as sandbox:
        pipeline.grade(loaded, unpack(solution.filename, solution.data), sandbox, seed=seed, data=data, witness=seen)
    passed = {check: outcome.verdict is Verdict.PASSED for check, outcome in seen.outcomes.items()}
    return Run(solution.name, seed, seen.statistics(), passed)


def calibration(loaded: LoadedSpec, data: DataSet, solutions: Sequence[Solution], seeds: int, found: Sequence[Run],
                runtime: str, false_fail: float = FALSE_FAIL) -> Calibration:  # fmt: skip
    """Thresholds from runs. Raises SpecError if nothing was measured or a run broke down."""
    keys = sorted({key for run in found for key in run.statistics})
    if not keys:
        raise SpecError(
            f"no check of {loaded.spec.id} measures anything that a threshold decides",
            "Calibration is for accuracies, losses and the like; this spec needs none.",
        )
    statistics = {}
    for key in keys:
        by_solution = {
            name: [run.statistics[key] for run in found if run.solution == name and key in run.statistics]
            for name in dict.fromkeys(run.solution for run in found)
        }
        for name, measured in by_solution.items():
            if len(measured) < seeds:
                raise SpecError(
                    f"{name} gave a number for {key} under {len(measured)} of {seeds} seeds only",
                    "It broke down or gave NaN under the others; repair it, or leave it out with --only.",
                )
        statistics[key] = _calibrated(by_solution, false_fail)
    return Calibration(
        spec=loaded.spec.id,
        data=data.name,
        lane=loaded.spec.lane,
        seeds=seeds,
        false_fail=false_fail,
        confidence=CONFIDENCE,
        digests=digests(loaded, data, solutions, runtime),
        statistics=statistics,
    )


def _calibrated(by_solution: dict[str, list[Statistic]], false_fail: float) -> Calibrated:
    direction = next(iter(by_solution.values()))[0].direction
    sign = 1.0 if direction == "above" else -1.0
    worst, spreads = math.inf, {}
    assumes: Assumes = "normal"
    for name, measured in by_solution.items():
        values = np.array([s.value for s in measured])
        floor = _least_sd(measured)
        bound = tolerance_bound(sign * values, false_fail, least_sd=floor)
        if bound < worst:
            worst, assumes = bound, _assumes(sign * values, floor, false_fail)
        digits = sorted(float(f"{v:.4g}") for v in values)
        spreads[name] = Spread(
            mean=float(f"{values.mean():.4g}"), sd=float(f"{values.std(ddof=1):.4g}"), values=tuple(digits)
        )
    return Calibrated(direction=direction, threshold=sign * rounded_down(worst), assumes=assumes, solutions=spreads)


def _least_sd(measured: Sequence[Statistic]) -> float:
    """What a standard deviation over the seeds is taken for at least."""
    step = max(s.step for s in measured)
    values = np.array([s.value for s in measured])
    size = abs(float(values.mean())) or measured[0].unit
    return step or (0.01 * size if values.std(ddof=1) < 0.001 * size else 0.0)


def _assumes(values: Values, least_sd: float, false_fail: float) -> Assumes:
    """What a bound from these values (the greater the better) takes on trust."""
    if len(values) >= runs_needed(false_fail):
        return "nothing"
    piled = float((values == values.max()).mean()) > 0.5
    return "spread" if piled or values.std(ddof=1) < least_sd else "normal"


def runs_needed(false_fail: float, confidence: float = CONFIDENCE) -> int:
    """So many runs show the rate by themselves if none of them fails, whatever the values' distribution."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - false_fail))


def tolerance_bound(
    values: Values, false_fail: float = FALSE_FAIL, confidence: float = CONFIDENCE, least_sd: float = 0.0
) -> float:
    """The value that at most `false_fail` of further values lie below, with this confidence, and never above the least.

    values: (n,), n at least 2. least_sd: what their standard deviation is taken for at least.
    """
    n = len(values)
    factor = stats.nct.ppf(confidence, n - 1, stats.norm.ppf(1 - false_fail) * math.sqrt(n)) / math.sqrt(n)
    return float(min(values.mean() - factor * max(values.std(ddof=1), least_sd), values.min()))


def rounded_down(value: float) -> float:
    """To three significant digits, never upwards."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return float(f"{math.floor(value / step + 1e-9) * step:.12g}")


def digests(loaded: LoadedSpec, data: DataSet, solutions: Sequence[Solution], runtime: str) -> dict[str, str]:
    """What the numbers depend on: solutions, observations, the code of grader and own checks, data and the runtime."""
    spec = loaded.spec.model_dump(mode="json", include={"entry_points", "observations", "load", "lane"})
    uploads = [f"{s.name}:{hashlib.sha256(s.data).hexdigest()}" for s in solutions if s.accepted]
    return {
        "solutions": _short("\n".join(sorted(uploads))),
        "observations": _short(json.dumps(spec, sort_keys=True)),
        "code": _code(loaded),
        "data": _short(data.digest),
        "runtime": runtime,
    }


def _code(loaded: LoadedSpec) -> str:
    """The grader's code, and the spec's Python where it has checks of its own: they may import any of its files."""
    if not (loaded.folder / OWN_CHECKS).exists():
        return installed.grader_code()
    own = [path.read_text(encoding="utf-8") for path in spec_files(loaded.folder) if path.suffix == ".py"]
    return _short("\n".join([installed.grader_code(), *own]))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stale(loaded: LoadedSpec, data: DataSet, solutions: Sequence[Solution], runtime: str) -> list[str]:
    """What changed since the calibration in use was made, each a sentence; empty if none is in use or nothing did."""
    if not any(check.calibrated for check in loaded.checks):
        return []
    found = read(loaded.folder, data.name, loaded.spec.lane)
    if found is None:
        return [f"there is no calibration on '{data.name}' yet. Run: {command(loaded.spec.id)} --data {data.name}"]
    changed = changes(loaded, found, data, solutions, runtime)
    if not changed:
        return []
    return [f"the calibration on '{data.name}' is stale: {', '.join(changed)} changed. Run: {command(loaded.spec.id)}"]


def changes(
    loaded: LoadedSpec, made: Calibration, data: DataSet, solutions: Sequence[Solution], runtime: str
) -> list[str]:
    """What a calibration depends on and is no longer what it was: solutions, observations, code, data, runtime."""
    now = digests(loaded, data, solutions, runtime)
    return [name for name, value in now.items() if made.digests.get(name) != value]


def false_fails(found: Sequence[Run], check: str) -> tuple[int, int]:
    """How many runs of right solutions a check failed, of how many."""
    judged = [run.passed[check] for run in found if check in run.passed]
    return len(judged) - sum(judged), len(judged)


def at_most(failed: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Upper bound of a probability that gave `failed` of `total` (Clopper and Pearson, one-sided)."""
    if total == 0 or failed >= total:
        return 1.0
    return float(stats.beta.ppf(confidence, failed + 1, total - failed))


def save(path: Path, made: Calibration, picture: str) -> None:
    """Write a calibration and its plot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = re.sub(r"\[\s+([^\]]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", made.model_dump_json(indent=1))
    path.write_text(text + "\n", encoding="utf-8")
    path.with_suffix(".svg").write_text(picture, encoding="utf-8")
