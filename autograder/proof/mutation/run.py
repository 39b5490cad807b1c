"""Grades mutants: which check kills each, which survive, which change nothing, and which sit in code nobody runs."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder import pipeline
from autograder.errors import SpecError, UploadRefused
from autograder.intake import unpack
from autograder.model import Verdict
from autograder.pipeline import Witness
from autograder.proof.mutation.generate import Mutant, Spot, mutants, planted_functions, planted_lines
from autograder.proof.pool import Pool
from autograder.proof.watch import Recorder, Stopped, UntilCaught, UntilDifferent
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution
from autograder.specs.source import read_yaml, spec_error

GATE = 0.95
LEAST = 20  # mutants judged, before a sample of them proves something
EQUIVALENTS = "equivalent.yaml"


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    SAME = "same"  # every observation was byte for byte the original's
    LISTED = "listed"  # equivalent.yaml says why it is no mistake
    UNREACHABLE = "unreachable"  # in code that the spec never runs
    NOT_RUN = "not_run"  # the budget was used up


@dataclass(frozen=True)
class Judged:
    """One mutant's fate. check: which one killed it, and how (`failed`, `crashed`, …). because: why it is listed."""

    mutant: Mutant
    fate: Fate
    check: str = ""
    how: str = ""
    seconds: float = 0.0
    because: str = ""


class Listed(BaseModel):
    """An entry of equivalent.yaml: changes that are no mistake, such as another width where any will do.

    was, now: the changed line without indentation, as it stands or as a shell pattern (`*` for any text).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    because: str
    was: str = "*"
    now: str = "*"
    solution: str = "*"
    operator: str = "*"

    def matches(self, mutant: Mutant) -> bool:
        """True if this is about that mutant."""
        was, now = mutant.line
        asked = ((self.was, was), (self.now, now), (self.solution, mutant.solution.name))
        return all(_fits(pattern, text) for pattern, text in (*asked, (self.operator, mutant.operator)))


def _fits(pattern: str, text: str) -> bool:
    return pattern.strip() == text or fnmatchcase(text, pattern.strip().replace("[", "[[]"))


@dataclass(frozen=True)
class Score:
    """Counts by fate. score: killed of those that could be; strict: `same` counts as alive; None: none was judged."""

    counts: Mapping[str, int]

    @property
    def score(self) -> float | None:
        """Killed as a share of killed and survived."""
        return self._share(Fate.SURVIVED)

    @property
    def strict(self) -> float | None:
        """The same with `same` counted among the survivors."""
        return self._share(Fate.SURVIVED, Fate.SAME)

    @property
    def passes(self) -> bool:
        """True if enough were caught. Where none was judged nothing is proven."""
        return self.score is not None and self.score >= GATE

    @property
    def enough(self) -> bool:
        """True if all mutants were run, or so many that their score says something of the rest."""
        judged = sum(self.counts.get(fate, 0) for fate in (Fate.KILLED, Fate.SURVIVED))
        return judged >= LEAST or not self.counts.get(Fate.NOT_RUN, 0)

    @property
    def sample(self) -> str:
        """In words of how many the score speaks, if some were not run; else empty."""
        late = self.counts.get(Fate.NOT_RUN, 0)
        run = sum(self.counts.get(fate, 0) for fate in (Fate.KILLED, Fate.SURVIVED, Fate.SAME))
        return f"a random sample: {run} of {run + late} mutants were run; give --budget more seconds" if late else ""

    def _share(self, *alive: Fate) -> float | None:
        killed = self.counts.get(Fate.KILLED, 0)
        total = killed + sum(self.counts.get(fate, 0) for fate in alive)
        return killed / total if total else None


def score(judged: Sequence[Judged]) -> Score:
    """Count fates."""
    return Score(Counter(j.fate.value for j in judged))


def as_json(loaded: LoadedSpec, judged: Sequence[Judged]) -> dict[str, Any]:
    """A campaign as plain JSON: the score, who killed how many, and every survivor's diff."""
    found = score(judged)
    killers = Counter(j.check for j in judged if j.fate is Fate.KILLED)
    return {
        "spec": loaded.spec.id,
        "digest": loaded.digest,
        "counts": dict(found.counts),
        "score": _rounded(found.score),
        "strict": _rounded(found.strict),
        "killers": dict(killers.most_common()),
        "survivors": [_row(j) for j in judged if j.fate is Fate.SURVIVED],
        "same": [_row(j) for j in judged if j.fate is Fate.SAME],
        "listed": [{**_row(j), "because": j.because} for j in judged if j.fate is Fate.LISTED],
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _row(judged: Judged) -> dict[str, str]:
    mutant = judged.mutant
    return {
        "solution": mutant.solution.name,
        "operator": mutant.operator,
        "what": mutant.what,
        "was": mutant.line[0],
        "now": mutant.line[1],
    }


def idle(listed: Sequence[Listed], judged: Sequence[Judged]) -> list[Listed]:
    """Entries that speak of no mutant, such as those of a line that was changed since."""
    return [entry for entry in listed if not any(entry.matches(j.mutant) for j in judged)]


def equivalents(path: Path) -> list[Listed]:
    """The entries of an equivalent.yaml, none if there is no such file. Raises SpecError."""
    if not path.exists():
        return []
    tree, marks = read_yaml(path)
    try:
        return [Listed.model_validate(entry) for entry in tree or []]
    except ValidationError as error:
        raise spec_error(path, error, marks, Listed) from error


@dataclass(frozen=True)
class _Ready:
    """A solution that passes as it is. reached: spots at which something is known to happen, or known not to."""

    solution: Solution
    original: Recorder
    quick: LoadedSpec
    unreachable: list[Judged]
    waiting: list[Mutant]
    reached: dict[Spot, bool]


@dataclass
class Campaign:
    """Mutates accepted solutions of one spec.

    budget_s: wall seconds after which no further mutant is started, shared evenly among the solutions; what is graded
    of them unchanged does not count. The order is random, so what was run is a sample.
    """

    loaded: LoadedSpec
    data: DataSet
    pool: Pool
    listed: Sequence[Listed] = ()
    budget_s: float = float("inf")
    on_judged: Callable[[Judged], None] = lambda _judged: None
    on_activity: Callable[[str, int, int], None] = lambda _what, _done, _of: None
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, solutions: Sequence[Solution]) -> list[Judged]:
        """Every mutant of these solutions with its fate. Raises SpecError if a solution does not pass as it is."""
        left, found = self.budget_s, list[Judged]()
        # What comes before a solution's mutants is one grading after the other, so it is done for several at once.
        for number, ready in enumerate(list(self.pool.map(self._prepare, solutions))):
            judged, taken = self._one_solution(ready, left / (len(solutions) - number))
            found += judged
            left -= taken
        return found

    def _prepare(self, solution: Solution) -> _Ready:
        """Grade it as it is, and tell which of its mutants can be reached. Raises SpecError."""
        self.on_activity(f"{solution.name}: as it is", 0, 0)
        original = self._original(solution)
        quick = _quick(self.loaded, original)
        every = mutants(solution)
        dead = self._dead_functions(solution, every, original, quick)
        waiting = [m for m in every if (m.spot.part, m.spot.function) not in dead]
        found = [Judged(m, Fate.UNREACHABLE) for m in every if (m.spot.part, m.spot.function) in dead]
        top = {m.spot for m in waiting if m.spot.function < 0}
        dead_lines = self._dead(list(top), lambda spots: planted_lines(solution, spots), original, quick)
        found += [Judged(m, Fate.UNREACHABLE) for m in waiting if m.spot in dead_lines]
        waiting = [m for m in waiting if m.spot not in dead_lines]
        return _Ready(solution, original, quick, found, waiting, dict.fromkeys(top, True))

    def _one_solution(self, ready: _Ready, budget_s: float) -> tuple[list[Judged], float]:
        """Its mutants with their fates, and the seconds that those took which were run."""
        found, begun = list(ready.unreachable), time.monotonic()
        self._until = begun + budget_s
        every_fate = self.pool.map(lambda m: self._judge(m, ready.original, ready.quick, ready.reached), ready.waiting)
        for number, judged in enumerate(every_fate, 1):
            found.append(judged)
            self.on_judged(judged)
            self.on_activity(ready.solution.name, number, len(ready.waiting))
        return found, time.monotonic() - begun

    def _original(self, solution: Solution) -> Recorder:
        seen = Recorder()
        report = self._grade(solution, solution.data, self.loaded, seen)
        if report is None or report.verdict is not Verdict.PASSED:
            raise SpecError(
                f"{solution.name} does not pass as it is, so its mutants tell nothing",
                f"Run: bin/autograder spec verify {self.loaded.spec.id} --only {solution.name}",
            )
        return seen

    def _judge(self, mutant: Mutant, original: Recorder, quick: LoadedSpec, reached: dict[Spot, bool]) -> Judged:
        if (entry := next((e for e in self.listed if e.matches(mutant)), None)) is not None:
            return Judged(mutant, Fate.LISTED, because=entry.because)
        begun = time.monotonic()
        if begun > self._until:
            return Judged(mutant, Fate.NOT_RUN)
        seen = UntilCaught()
        self._grade(mutant.solution, mutant.data, quick, seen)
        taken = time.monotonic() - begun
        if seen.caught_by:
            return Judged(mutant, Fate.KILLED, seen.caught_by, seen.how.value, taken)
        if seen.digests != original.digests:
            return Judged(mutant, Fate.SURVIVED, seconds=taken)
        with self._lock:
            known = reached.get(mutant.spot)
        if known is None:
            planted = planted_lines(mutant.solution, [mutant.spot])
            known = planted is None or not self._is_same(mutant.solution, planted, original, quick)
            with self._lock:
                reached[mutant.spot] = known
        return Judged(mutant, Fate.SAME if known else Fate.UNREACHABLE, seconds=taken)

    def _dead_functions(
        self, solution: Solution, every: Sequence[Mutant], original: Recorder, quick: LoadedSpec
    ) -> set[tuple[Any, int]]:
        """(part, function) of functions that the spec never runs."""
        first = {(m.spot.part, m.spot.function): m.spot for m in every if m.spot.function >= 0}
        dead = self._dead(list(first.values()), lambda spots: planted_functions(solution, spots), original, quick)
        return {(spot.part, spot.function) for spot in dead}

    def _dead(
        self,
        spots: list[Spot],
        plant: Callable[[Sequence[Spot]], bytes | None],
        original: Recorder,
        quick: LoadedSpec,
    ) -> set[Spot]:
        """Those spots where a failure changes nothing; found by halving, since most stand together."""
        if not spots:
            return set()
        self.on_activity("looking for code that is never run", 0, 0)
        spots = sorted(spots, key=lambda s: (s.part.file, s.part.cell, s.line))
        try:
            planted = plant(spots)
        except ValueError:
            planted = None
        if planted is not None and self._is_same(spots[0].part, planted, original, quick):
            return set(spots)
        if len(spots) == 1:
            return set()
        half = len(spots) // 2
        return self._dead(spots[:half], plant, original, quick) | self._dead(spots[half:], plant, original, quick)

    def _is_same(self, upload: Any, data: bytes, original: Recorder, quick: LoadedSpec) -> bool:
        """True if every observation of a changed solution is the original's."""
        seen = UntilDifferent(original=original.digests)
        report = self._grade(upload, data, quick, seen)
        return report is not None and seen.digests == original.digests

    def _grade(self, upload: Any, data: bytes, loaded: LoadedSpec, seen: Witness) -> Any:
        """The report, or None if the witness stopped it. upload: a solution, or a part (for its file's name)."""
        filename = upload.filename if isinstance(upload, Solution) else upload.file
        try:
            unpacked = unpack(filename, data)
        except UploadRefused as refused:
            if isinstance(seen, UntilCaught):
                seen.caught_by, seen.how = "upload", Verdict.FAILED
                return None
            raise SpecError(f"{filename}: {refused.message}", "Change the solution.") from refused
        with self.pool.sandbox() as sandbox:
            try:
                return pipeline.grade(loaded, unpacked, sandbox, data=self.data, witness=seen)
            except Stopped:
                return None


def _quick(loaded: LoadedSpec, original: Recorder) -> LoadedSpec:
    """The spec with less patience: a mutant that takes five times as long hangs; close calls are not run again."""
    observations = dict(loaded.spec.observations)
    for name, observation in loaded.spec.observations.items():
        wall_s = observation.wall_s or loaded.spec.limits.wall_s
        patience = min(wall_s, 8 + 5 * original.seconds.get(name, 0.0))
        observations[name] = observation.model_copy(update={"wall_s": patience, "reseed": None})
    return replace(loaded, spec=loaded.spec.model_copy(update={"observations": observations}))
