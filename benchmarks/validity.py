"""How far the verdicts of each spec can be trusted: solutions verified, mutants caught, right work failed, repeats.

Each part of each spec is kept in benchmarks/results/validity/ and done again only when spec, solutions, data or options
changed, so an interrupted run goes on where it stopped. More seeds than before are added to those that are kept.
--store keeps them in benchmarks/data/validity/, which is committed: what the table of the catalogue is made of. Every
part says which state of the grader's code it was measured with; --again measures it with the present one.
--untrained grades right work by the checks alone that need no training, which costs a fraction and is a part of its
own: for checks that came to a spec after its whole gradings were measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder import installed, pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import Verdict
from autograder.proof import record
from autograder.proof.calibrate import at_most
from autograder.proof.mutation.run import EQUIVALENTS, GATE, Campaign, as_json, equivalents
from autograder.proof.pool import Pool
from autograder.proof.verify import verify
from autograder.sandbox import open_sandbox
from autograder.specs.dataset import DataSet, secret_seed
from autograder.specs.loader import LoadedSpec, load_all
from autograder.specs.schema import Calls, Overfit, Train, UsageOf
from autograder.specs.solutions import Solution, find_solutions
from benchmarks.report import RESULTS, machine

KEPT = RESULTS / "validity"
STORED = Path(__file__).parent / "data" / "validity"
FIRST_SEED = 1000
STRIDE = 10  # seeds measured before they are kept


@dataclass(frozen=True)
class Asked:
    """The options that matter for one spec. folder: where parts are kept."""

    seeds: int
    budget: float
    again: bool
    folder: Path
    untrained: bool = False


@dataclass(frozen=True)
class Subject:
    """A spec with everything its figures need."""

    loaded: LoadedSpec
    solutions: list[Solution]
    data: DataSet

    @property
    def digest(self) -> str:
        """Changes with spec, solutions and data."""
        total = hashlib.sha256(f"{self.loaded.digest}{self.data.digest}".encode())
        for solution in self.solutions:
            total.update(f"{solution.name}{solution.expect}".encode() + solution.data)
        listed = settings().solutions_dir / self.loaded.spec.id / EQUIVALENTS
        total.update(listed.read_bytes() if listed.exists() else b"")
        return total.hexdigest()


def main() -> None:
    """Measure what is not kept yet, print the table, write it all."""
    parser = argparse.ArgumentParser(prog="bin/bench validity", description=__doc__)
    parser.add_argument("specs", nargs="*", help="spec ids (default: all)")
    parser.add_argument(
        "--seeds", type=int, default=20, help="gradings of each accepted solution, at least (default 20)"
    )
    parser.add_argument("--budget", type=float, default=300, help="seconds of mutants for each spec (default 300)")
    parser.add_argument("--jobs", type=int, default=2, help="gradings at once (default 2)")
    parser.add_argument("--store", action="store_true", help="keep the parts in benchmarks/data, for the catalogue")
    parser.add_argument("--record", action="store_true", help="write proof.json beside the solutions, for handouts")
    parser.add_argument("--again", action="store_true", help="measure what is kept as well")
    parser.add_argument(
        "--untrained", action="store_true", help="only right work, and only by the checks that need no training"
    )
    asked = parser.parse_args()
    every = load_all(settings().specs_dir)
    unknown = set(asked.specs) - every.keys()
    if unknown:
        parser.error(f"no spec is called {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    sandboxes = [open_sandbox(settings()) for _ in range(asked.jobs)]
    if warning := sandboxes[0].warning():
        print(warning)
    try:
        pool = Pool(sandboxes)
        subjects = {name: _subject(every[name]) for name in asked.specs or every}
        folder = STORED if asked.store else KEPT
        options = Asked(asked.seeds, asked.budget, asked.again, folder, untrained=asked.untrained)
        measure = _untrained if asked.untrained else _measure
        rows = {name: measure(subject, pool, options) for name, subject in subjects.items()}
    finally:
        for sandbox in sandboxes:
            sandbox.close()
    if asked.untrained:
        show_untrained(rows)
        return
    show(rows, asked.seeds)
    if asked.record:
        for name, subject in subjects.items():
            folder = settings().solutions_dir / name
            record.write(subject.loaded, subject.solutions, folder, rows[name]["mutation"]["counts"])
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "seeds": asked.seeds, "budget": asked.budget, "specs": rows}
    (RESULTS / "validity.json").write_text(json.dumps(content, indent=1) + "\n")


def _subject(loaded: LoadedSpec) -> Subject:
    conf = settings()
    data = loaded.build_data(conf.data_dir, secret_seed(loaded.spec.seed, conf.data_secret))
    return Subject(loaded, find_solutions(conf.solutions_dir / loaded.spec.id), data)


def _measure(subject: Subject, pool: Pool, asked: Asked) -> dict[str, Any]:
    print(f"{subject.loaded.spec.id} on {subject.data.name}", flush=True)
    return {
        "verify": kept(asked, subject, "verify", 0, lambda: _verified(subject, pool)),
        "mutation": kept(asked, subject, "mutation", asked.budget, lambda: _mutated(subject, pool, asked.budget)),
        "false_fail": extended(asked, subject, lambda first, count: _failed(subject, pool, first, count)),
    }


def _untrained(subject: Subject, pool: Pool, asked: Asked) -> dict[str, Any]:
    print(f"{subject.loaded.spec.id} on {subject.data.name}", flush=True)
    return extended(asked, subject, lambda first, count: _failed(without_training(subject), pool, first, count))


def without_training(subject: Subject) -> Subject:
    """The spec with those checks alone that look at no training, neither the grader's nor one before a call."""

    def trains(name: str) -> bool:
        observation = subject.loaded.spec.observations[name]
        if isinstance(observation, UsageOf):
            return trains(observation.of)
        if isinstance(observation, Calls):
            cases = subject.data.cases[observation.cases]
            return any("function" in ref.values for case in cases for ref in case.refs())
        return isinstance(observation, Train | Overfit)

    checks = [c for c in subject.loaded.checks if not any(map(trains, (c.spec.observe, *c.spec.also.values())))]
    return replace(subject, loaded=replace(subject.loaded, checks=tuple(checks)))


def kept(
    asked: Asked, subject: Subject, part: str, budget: float, measure: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What was measured before under the same digest and at least so much budget, or what is measured now."""
    path = _place(asked.folder, subject, part)
    before = _read(path, subject.digest)
    if before and before["budget"] >= budget and not asked.again:
        return before
    print(f"  {part}", flush=True)
    found = {"key": subject.digest, "grader": installed.grader_code(), "budget": budget, **measure()}
    _write(path, found)
    return found


def extended(asked: Asked, subject: Subject, measure: Callable[[int, int], dict[str, Any]]) -> dict[str, Any]:
    """The runs of at least so many seeds: those kept under the same digest, and the missing ones, kept as they come.

    measure(first, count) grades under the seeds first … first + count - 1 and gives `runs` and `failed`. `graders`: how
    many seeds were run with which state of the grader's code.
    """
    part = "false_fail_untrained" if asked.untrained else "false_fail"
    path, key, grader = _place(asked.folder, subject, part), subject.digest, installed.grader_code()
    none: dict[str, Any] = {"key": key, "graders": {}, "seeds": 0, "runs": 0, "failed": [], "at_most": 1.0}
    found: dict[str, Any] = (not asked.again and _read(path, key)) or none
    if found["seeds"] < asked.seeds:
        print(f"  {part}", flush=True)
    while (done := found["seeds"]) < asked.seeds:
        count = min(STRIDE, asked.seeds - done)
        more = measure(FIRST_SEED + done, count)
        runs, failed = found["runs"] + more["runs"], found["failed"] + more["failed"]
        graders = {**found["graders"], grader: found["graders"].get(grader, 0) + count}
        sums = {"seeds": done + count, "runs": runs, "failed": failed, "at_most": at_most(len(failed), runs)}
        found = {"key": key, "graders": graders, **sums}
        _write(path, found)
    return found


def _place(folder: Path, subject: Subject, part: str) -> Path:
    return folder / f"{subject.loaded.spec.id}-{subject.data.name}-{part}.json"


def _read(path: Path, key: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    before: dict[str, Any] = json.loads(path.read_text())
    return before if before["key"] == key else None


def _write(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


def _verified(subject: Subject, pool: Pool) -> dict[str, Any]:
    conf = settings()
    graded, found = verify(
        subject.loaded, subject.solutions, pool, data_dir=conf.data_dir, data_secret=conf.data_secret
    )
    right = [g for g in graded if not g.problems]
    return {
        "solutions": len(graded),
        "verified": len(right),
        "seconds": {g.solution.name: round(g.report.seconds.get("total", 0.0), 2) for g in graded},
        "problems": [f"{g.solution.name}: {p}" for g in graded for p in g.problems],
        "errors": [f"{f.rule}: {f.message}" for f in found if f.error],
        "warnings": [f"{f.rule}: {f.message}" for f in found if not f.error],
        "identical": not any(f.rule == "two gradings differ" for f in found),
    }


def _mutated(subject: Subject, pool: Pool, budget: float) -> dict[str, Any]:
    listed = equivalents(settings().solutions_dir / subject.loaded.spec.id / EQUIVALENTS)
    campaign = Campaign(subject.loaded, subject.data, pool, listed, budget)
    return as_json(subject.loaded, campaign.run([s for s in subject.solutions if s.accepted]))


def _failed(subject: Subject, pool: Pool, first: int, count: int) -> dict[str, Any]:
    """Whole gradings of the accepted solutions under many seeds, with reruns of close calls as students get them."""

    def one(item: tuple[Solution, int]) -> tuple[str, int, list[str]]:
        solution, seed = item
        upload = unpack(solution.filename, solution.data)
        with pool.sandbox() as sandbox:
            report = pipeline.grade(subject.loaded, upload, sandbox, seed=seed, data=subject.data)
        return solution.name, seed, [c.id for c in report.checks if c.verdict is not Verdict.PASSED and c.max_score > 0]

    wanted = [(s, seed) for s in subject.solutions if s.accepted for seed in range(first, first + count)]
    every = list(pool.map(one, wanted))
    failed = [{"solution": name, "seed": seed, "checks": checks} for name, seed, checks in every if checks]
    return {"runs": len(every), "failed": failed}


def show_untrained(rows: dict[str, dict[str, Any]]) -> None:
    """The table of --untrained."""
    print(f"\nright work by the checks that need no training; {machine()}\n\n{'spec':28}{'seeds':>7}{'failed':>26}")
    for name, row in rows.items():
        failed = f"{len(row['failed'])} of {row['runs']} (≤ {row['at_most']:.1%})"
        print(f"{name:28}{row['seeds']:>7}{failed:>26}")
        for one in row["failed"]:
            print(f"    {one['solution']}, seed {one['seed']}: {', '.join(one['checks'])}")


def show(rows: dict[str, dict[str, Any]], seeds: int) -> None:
    """The table."""
    print(f"\nvalidity of the verdicts; {machine()}\n")
    head = ("spec", "verified", "rules", "mutants caught", "strict", "right work failed", "two gradings")
    print(f"{head[0]:28}{head[1]:>10}{head[2]:>7}{head[3]:>18}{head[4]:>8}{head[5]:>26}{head[6]:>14}")
    for name, row in rows.items():
        proof, mutation, fails = row["verify"], row["mutation"], row["false_fail"]
        counts = mutation["counts"]
        alive = counts.get("survived", 0)
        run = counts.get("killed", 0) + alive
        caught = f"{mutation['score']:.1%} of {run}" if run else "none run"
        strict = f"{mutation['strict']:.1%}" if run else "—"
        failed = f"{len(fails['failed'])} of {fails['runs']} (≤ {fails['at_most']:.1%})"
        rules = "ok" if not proof["errors"] else f"{len(proof['errors'])} ✗"
        same = "identical" if proof["identical"] else "DIFFER"
        verified = f"{proof['verified']}/{proof['solutions']}"
        print(f"{name:28}{verified:>10}{rules:>7}{caught:>18}{strict:>8}{failed:>26}{same:>14}")
    short = [n for n, r in rows.items() if (r["mutation"]["score"] or 0) < GATE]
    late = [n for n, r in rows.items() if r["mutation"]["counts"].get("not_run")]
    print(f"\nat least {seeds} seeds of each accepted solution; (≤ …): upper bound with 95 % confidence")
    print("strict: mutants that changed no observation are counted as survivors")
    if short:
        print(f"below the gate of {GATE:.0%}: {', '.join(short)}")
    if late:
        print(f"not all mutants were run (a random sample was): {', '.join(late)}; give --budget more seconds")


if __name__ == "__main__":
    main()
