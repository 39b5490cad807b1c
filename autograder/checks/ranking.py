"""ranking: an ordered list is the expected one, ties in any order, nothing excluded in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._answers import Answer, answers, overlap_at, ranking, word
from autograder.checks._values import is_clean
from autograder.checks.base import CaseList, Check, Context, FactName, Params, failed, partial, passed
from autograder.model import Observation, Outcome, Statistic


class RankingParams(Params):
    """What is expected, and how exactly."""

    expected: FactName = Field(
        "", description="Fact of the data set: a list of items, or {items, scores}; empty: what each case expects."
    )
    cases: CaseList = Field("", description="List of cases, if the observation does not name it.")
    k: int = Field(10, ge=1, le=1000, description="How many of the first items count.")
    excluded: tuple[str, ...] = Field(
        (), description="Items that may not be in the list, such as the word asked about."
    )
    ordered: bool = Field(True, description="False: the first k count as a set.")
    tie: float = Field(1e-9, ge=0, description="Items whose expected scores differ by no more may change places.")
    min_overlap: float = Field(1.0, gt=0, le=1, description="Share of the first k that must be there.")


class Ranking(Check):
    """Ranked answers of one or several calls. Items are compared as text, without case."""

    kind: ClassVar[str] = "ranking"
    title: ClassVar[str] = "Ranking"
    probes: ClassVar[frozenset[str]] = frozenset({"call", "calls"})
    Params: ClassVar[type[Params]] = RankingParams

    def judge(self, observation: Observation, context: Context, params: RankingParams) -> Outcome:
        """Share of the calls whose ranking is right; the smallest wrong one is described."""
        given = answers(observation, context, params.cases)
        if not given:
            return failed("No ranking came back.", "Return a list with the best item first.")
        troubles, shares = [], list[float]()
        for answer in given:
            expected = context.facts.get(params.expected) if params.expected else answer.expected
            troubles.append(_trouble(answer, expected, params, shares, told=is_clean(observation)))
        wrong = [(a, t) for a, t in zip(given, troubles, strict=True) if t is not None]
        found = []
        if len(shares) == len(given) and params.min_overlap < 1:  # neither a wrong form nor all or nothing is close
            found = [Statistic.share("overlap", min(shares), params.min_overlap, "above", "min_overlap")]
        if not wrong:
            words = f"All {len(given)} rankings are right." if len(given) > 1 else "The ranking is right."
            return passed(words).measured(*found)
        shown, (message, hint) = min(wrong, key=lambda one: one[0].size)
        if len(given) > 1:
            message = f"{len(wrong)} of {len(given)} rankings are wrong. {shown.label[:60]}: {message}"
        return partial(1 - len(wrong) / len(given), message, hint).measured(*found)


def _wanted(expected: Any) -> tuple[list[str], list[float]]:
    """Items and scores (falling with the rank if none are given). Raises ValueError: a fault of the data builder."""
    scores: Sequence[float] = []
    if isinstance(expected, Mapping):
        expected, scores = expected["items"], expected["scores"]
    items = [word(item) for item in expected or ()]
    if not items or (len(scores) and len(scores) != len(items)):
        raise ValueError("a ranking is expected, but the data set names no items, or another number of scores")
    return items, [float(s) for s in scores] if len(scores) else [float(-i) for i in range(len(items))]


def _trouble(
    answer: Answer, expected: Any, params: RankingParams, shares: list[float], *, told: bool
) -> tuple[str, str] | None:
    """What is wrong with one ranking and what to try; None if it is right.

    shares: gets its share of good items. told: whether words may hold the answer's length.
    """
    items, scores = _wanted(expected)
    if answer.error:
        return f"it raised {answer.error}.", answer.hint or "Call your function yourself with such arguments."
    found = ranking(answer.value)
    if found is None:
        return "this is no ranked list.", "Return a list of items (or of pairs of item and score), best first."
    if any(item in found for item in map(word, params.excluded)):
        return "the list contains an item that must be left out.", "Leave out the items you were asked about."
    if len(set(found)) < len(found):
        return "an item stands in it twice.", "Each item once."
    k = min(params.k, len(items))
    if len(found) < k:
        return f"it has {len(found) if told else 'fewer'} items; {k} are asked for.", ""
    shares.append(len(_good(found[:k], items, scores, k, params)) / k)
    if _fits(found[:k], items, scores, k, params):
        return None
    reverse = [*reversed(found)]
    if _fits(reverse[:k], items, scores, k, params) or overlap_at(found, items[::-1], k) == 1.0 > overlap_at(
        found, items, k
    ):
        return "it is the other way round.", "Best first: sort in falling order (reverse=True, descending=True)."
    share = overlap_at(found, items, k)
    if share >= params.min_overlap:
        return "the right items, but in another order.", "Sort by the score, best first."
    return f"{share:.0%} of the first {k} items are right.", "Look at how the score of an item is computed."


def _fits(found: list[str], items: list[str], scores: list[float], k: int, params: RankingParams) -> bool:
    """Every item is as good as the one that should stand there; or, unordered, enough of the first k are there."""
    score = dict(zip(items, scores, strict=True))
    good = _good(found, items, scores, k, params)
    if len(good) / k < params.min_overlap:
        return False
    ranks = [score[item] for item in good]
    return not params.ordered or all(a >= b - params.tie for a, b in pairwise(ranks))


def _good(found: list[str], items: list[str], scores: list[float], k: int, params: RankingParams) -> list[str]:
    """Those found that may stand among the first k."""
    score = dict(zip(items, scores, strict=True))
    lowest = min(scores[:k])
    return [item for item in found if item in score and score[item] >= lowest - params.tie]
