"""Runs a close call again under new seeds until it is decided: Wald's sequential test, cut off, with exact error rates.

A submission passes one run with a probability q that depends on how right it is. The test tells `q >= right` from
`q <= wrong`: each passed run adds log(right / wrong), each failed one log((1 - right) / (1 - wrong)), and the sum is
held against log((1 - alpha) / beta) and log(alpha / (1 - beta)). Source: A. Wald, Sequential Analysis, Wiley, 1947,
chapters 3 and 5. Wald's bounds are approximate and know no cut-off, so `Rule.odds` counts the paths instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from autograder.model import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Odds:
    """What a rule does with a submission that passes one run with a given probability."""

    passes: float  # probability of passing in the end
    runs: float  # expected number of runs


@dataclass(frozen=True, slots=True)
class Rule:
    """When to stop. band: results this near their limit (in units of the statistic's scale) are close calls."""

    max_runs: int = 9
    band: float = 0.25
    right: float = 0.9
    wrong: float = 0.3
    alpha: float = 0.01  # a right one fails at most this often
    beta: float = 0.05  # a wrong one passes at most this often
    clear_fail: bool = True

    def faults(self) -> list[str]:
        """In what the rule can't keep its word: each a sentence. Empty for a sound rule."""
        if not self.wrong < self.right:
            return ["`wrong` must lie below `right`"]
        found = []
        fails, passes = 1 - self.odds(self.right).passes, self.odds(self.wrong).passes
        if fails > self.alpha:
            found.append(f"a right submission would fail {fails:.1%} of the time, which is more than {self.alpha:.1%}")
        if passes > self.beta:
            found.append(f"a wrong submission would pass {passes:.1%} of the time, which is more than {self.beta:.1%}")
        return found

    def decide(self, results: Sequence[bool]) -> bool | None:
        """Passed, failed, or None for one run more. At the cut-off the nearer bound decides."""
        passed = sum(results)
        return self._decide(passed, len(results) - passed)

    def _decide(self, passed: int, failed: int) -> bool | None:
        upper = math.log((1 - self.alpha) / self.beta)
        lower = math.log(self.alpha / (1 - self.beta))
        total = passed * math.log(self.right / self.wrong) + failed * math.log((1 - self.right) / (1 - self.wrong))
        if total >= upper:
            return True
        if total <= lower:
            return False
        if passed + failed < self.max_runs:
            return None
        return upper - total < total - lower

    def odds(self, q: float) -> Odds:
        """Exact, by counting every way the runs can go. q: probability of passing one run."""
        going, passes, runs = {(0, 0): 1.0}, 0.0, 0.0
        while going:
            after: dict[tuple[int, int], float] = {}
            for (passed, failed), chance in going.items():
                runs += chance
                for cell, share in (((passed + 1, failed), chance * q), ((passed, failed + 1), chance * (1 - q))):
                    decided = self._decide(*cell)
                    if decided is None:
                        after[cell] = after.get(cell, 0.0) + share
                    elif decided:
                        passes += share
            going = after
        return Odds(passes, runs)

    def is_close(self, outcome: Outcome, spreads: Mapping[str, float] = MappingProxyType({})) -> bool:
        """True if another seed might well have given another verdict. A check without statistics is never close.

        Close is what lies within three standard deviations over the seeds, where `spreads` (by statistic) knows them
        from a calibration, else within the band. A failed check is as far from passing as its worst statistic; a passed
        one as near to failing as its nearest.
        """
        if outcome.verdict not in (Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED) or not outcome.statistics:
            return False
        widths = [3 * spreads.get(s.name, 0.0) or self.band * s.unit for s in outcome.statistics]
        distances = [s.distance / width for s, width in zip(outcome.statistics, widths, strict=True)]
        if not all(math.isfinite(distance) for distance in distances):
            return False
        nearest = min(distances)
        if outcome.verdict is Verdict.PASSED:
            return nearest < 1
        return not self.clear_fail or -1 < nearest < 1


def settle(outcomes: Sequence[Outcome], passed: bool) -> Outcome:
    """The outcome to report: the middle one among the runs that agree with the decision, and how many there were."""
    agreeing = [o for o in outcomes if (o.verdict is Verdict.PASSED) is passed] or list(outcomes)
    middle = sorted(agreeing, key=_rank)[(len(agreeing) - 1) // 2]
    if len(outcomes) == 1:
        return middle
    count = sum(o.verdict is Verdict.PASSED for o in outcomes)
    note = {"runs that decided": f"{count} of {len(outcomes)} passed"}
    return Outcome(
        middle.verdict, middle.fraction, middle.message, middle.hint, {**note, **middle.evidence}, middle.statistics
    )


def _rank(outcome: Outcome) -> tuple[float, float]:
    margins = [s.margin for s in outcome.statistics if math.isfinite(s.margin)]
    return outcome.fraction, min(margins, default=-math.inf)
