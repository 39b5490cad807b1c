"""allclose: a function's answers, or a model's outputs, are the right ones."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._cases import Answered, answered, error_hint, error_text, example, list_name, offered, sizes_of
from autograder.checks._mistakes import commonest, diagnoses
from autograder.checks._trees import Leaf, Telling, Tolerance, is_exact, kind_of, leaves, plain_array
from autograder.checks._values import shape_text
from autograder.checks.base import (
    Array,
    ArrayName,
    CaseList,
    Check,
    Context,
    GroupName,
    Params,
    failed,
    partial,
    passed,
)
from autograder.checks.measures import last_outputs
from autograder.model import Observation, Outcome, Statistic

_BY_HAND = "Work one small example out by hand and compare each step."
_IN_ORDER = "Return what the handout names, in its order."


class AllcloseParams(Params):
    """The right answers and how close is close."""

    expected: ArrayName = Field(
        "", description="Array with the right answer; not for `calls`, whose cases have theirs."
    )
    cases: CaseList = Field("", description="For `calls`: the case list; default: the one that was called.")
    only: tuple[GroupName, ...] = Field((), description="Only cases of these groups.")
    rtol: float = Field(1e-4, ge=0, description="Allowed difference relative to the largest right value of the array.")
    atol: float = Field(1e-6, ge=0, description="Allowed difference beside that. Whole numbers and text are exact.")
    strict_types: bool = Field(False, description="A whole number must not come as 3.0, nor True as 1.")
    more_keys: bool = Field(False, description="A dictionary may have keys beside those expected.")
    partial: bool = Field(False, description="Points for the share of groups (or cases) that are right.")
    hints: dict[str, str] = Field(
        default_factory=dict,
        json_schema_extra={"keys": "group"},
        description="By group of cases, what to try; the first of them whose group has a wrong case is said.",
    )
    show: Literal["inputs", "answer", "nothing"] = Field(
        "inputs",
        description="What of the smallest wrong case a student sees: its inputs and own answer, the right answer as "
        "well, or nothing. Of hidden case lists nothing is shown.",
    )


@dataclass(frozen=True)
class Trouble:
    """Why one answer is wrong: words, what to try, and keys of what would explain wrong numbers (None: no numbers)."""

    words: str
    hint: str = ""
    causes: list[str] | None = None


class Allclose(Check):
    """Compares trees of numbers and text leaf by leaf; shapes come first, NaN is never close."""

    kind: ClassVar[str] = "allclose"
    title: ClassVar[str] = "Right values"
    probes: ClassVar[frozenset[str]] = frozenset({"calls", "call", "forward", "predict"})
    Params: ClassVar[type[Params]] = AllcloseParams

    def judge(self, observation: Observation, context: Context, params: AllcloseParams) -> Outcome:
        """One answer against an array, or every case against its own."""
        if observation.probe == "calls":
            name = list_name(observation, params.cases, context)
            comparison = _Comparison(params, Telling.of(observation, hidden=name in context.hidden))
            outcome = _cases(observation, context, comparison, name)
        else:
            comparison = _Comparison(params, Telling.of(observation, hidden=params.expected in context.hidden))
            outcome = _one(observation, context, comparison)
        finite = [value for value in comparison.excess if math.isfinite(value)]
        return outcome.measured(Statistic.excess(max(finite), "rtol")) if finite else outcome


def _one(observation: Observation, context: Context, comparison: _Comparison) -> Outcome:
    expected, values = context.arrays[comparison.params.expected], observation.values
    got = values.get("value") if observation.probe == "call" else last_outputs(observation, "")
    trouble = comparison.trouble(expected, got)
    if trouble is None:
        return passed("The values are right.")
    words, hint = commonest([trouble.causes or []])
    return failed(f"{trouble.words} {words}".strip(), hint or trouble.hint)


def _cases(observation: Observation, context: Context, comparison: _Comparison, name: str) -> Outcome:
    params = comparison.params
    every = [a for a in answered(observation, name, context, params.only) if not a.case.raises]
    if not every:
        return failed("There is nothing to compare.", "Tell your instructor: this check of the task has no cases.")
    wrong = [(answer, trouble) for answer in every if (trouble := comparison.of_case(answer)) is not None]
    if not wrong:
        return passed(f"All {len(every)} answers are right.")
    words, hint = commonest(_causes(every, wrong))
    shown, trouble = min(wrong, key=lambda one: one[0].case.size)
    evidence = example(observation, name, context, params.show, shown)
    message = f"{len(wrong)} of {len(every)} answers are wrong. {trouble.words} {words}".strip()
    groups, bad = {a.group for a in every}, {a.group for a, _ in wrong}
    hint = trouble.hint if trouble.causes is None else hint or trouble.hint
    if own := next((said for group, said in params.hints.items() if group in bad), ""):
        hint = own if hint in (_BY_HAND, _IN_ORDER) else f"{hint} {own}".strip()
    if params.partial:
        return partial(1 - len(bad) / len(groups), message, hint, **evidence)
    return failed(message, hint, **evidence)


def _causes(every: list[Answered], wrong: list[tuple[Answered, Trouble]]) -> list[list[str]]:
    """What would explain each wrong number. Who gives long fractions elsewhere neither rounds nor cuts."""
    bad = {answer.number for answer, _ in wrong}
    right = (plain_array(a.value) for a in every if a.number not in bad and not isinstance(a.value, str))
    long = any(array is not None and not np.array_equal(array, array.round(4)) for array in right)
    never = {"rounded", "floored"} if long else set()
    return [[key for key in t.causes if key not in never] for _, t in wrong if t.causes is not None][:50]


class _Comparison:
    """Compares answers under the parameters of a check. telling: what its words may say of shapes and keys."""

    def __init__(self, params: AllcloseParams, telling: Telling) -> None:
        self.params, self.telling = params, telling
        self.tolerance = Tolerance(params.rtol, params.atol)
        self.excess: list[float] = []  # of every comparison of numbers, as a multiple of what is allowed
        self._offered: set[float] = set()  # single numbers among the arguments of the case that is compared

    def of_case(self, answer: Answered) -> Trouble | None:
        if answer.missing:
            return Trouble("There is no answer.", "Does your code end by itself, without exit()?")
        if answer.error is not None:
            words = f"The call raised {error_text(answer.error)}."
            return Trouble(words, error_hint(answer.error) or "It must answer for every legal input.")
        self._offered = offered(answer.case)
        return self.trouble(answer.case.expected, answer.value, sizes_of(answer.case))

    def trouble(self, expected: Any, got: Any, sizes: Collection[int] = ()) -> Trouble | None:
        """What is wrong at the first leaf at which something is."""
        for leaf in leaves(expected, got, more_keys=self.params.more_keys, telling=self.telling):
            found = self._leaf(leaf, sizes)
            if found is not None:
                # Which of many members is wrong could be a hidden input.
                path = leaf.path if self.telling.got else re.sub(r"\[\d+\]", "[…]", leaf.path)
                place = f"At {path}: " if path and self.telling.expected else ""
                words = place + found.words if place else found.words[0].upper() + found.words[1:]
                return Trouble(words, found.hint, found.causes)
        return None

    def _leaf(self, leaf: Leaf, sizes: Collection[int]) -> Trouble | None:
        if leaf.trouble:
            return Trouble(f"{leaf.trouble}.", _advice(leaf.got))
        if leaf.expected is None or isinstance(leaf.expected, str):
            if type(leaf.got) is type(leaf.expected) and leaf.got == leaf.expected:
                return None
            wanted = "None was" if leaf.expected is None else "another text was"
            return Trouble(f"{wanted} expected, got {self._got(leaf)}.", _advice(leaf.got))
        right, given = plain_array(leaf.expected), plain_array(leaf.got)
        if right is None or given is None:
            wanted = kind_of(leaf.expected, told=self.telling.expected)
            return Trouble(f"{wanted} was expected, got {self._got(leaf)}.", _advice(leaf.got))
        if given.shape != right.shape and not (right.size == given.size == 1 and right.ndim == 0):
            words = f"{_shape_words(leaf.expected, right, self.telling)} expected, got {self._got(leaf)}."
            hint = "Look over which axis is summed, and what is returned."
            return Trouble(words, hint, diagnoses(given, right, self.tolerance.close))
        exact = is_exact(leaf.expected)
        if self.params.strict_types and exact and not is_exact(leaf.got):
            return Trouble("whole numbers were expected, got others.", "Use // and int(): return whole numbers.")
        return self._numbers(right, given.reshape(right.shape), exact, sizes)

    def _got(self, leaf: Leaf) -> str:
        return kind_of(leaf.got, told=self.telling.got)

    def _numbers(self, right: Array, given: Array, exact: bool, sizes: Collection[int]) -> Trouble | None:
        if np.isnan(given).any():
            return Trouble("the answer is NaN.", "Look for 0 / 0, the logarithm of 0, or infinity minus infinity.")
        if exact and np.array_equal(given, right):
            return None
        if not exact:
            times = self.tolerance.excess(given, right)
            self.excess.append(times)
            if times <= 1.0:
                return None
        if np.isinf(given).any() and not np.isinf(right).any():
            hint = "Look for a division by 0, the logarithm of 0, or exp of a large number."
            return Trouble("the answer is infinite.", hint)
        if right.size == 1 and {float(right.item()), float(given.item())} <= self._offered:
            hint = "It is one of the numbers given, but another one is asked for. Read once more which one."
            return Trouble("the value differs.", hint, [])
        words = "the value differs." if right.size == 1 else "the values differ."
        return Trouble(words, _BY_HAND, diagnoses(given, right, self.tolerance.close, sizes))


def _shape_words(expected: Any, right: Array, telling: Telling) -> str:
    if right.ndim == 0:
        return "one number was"
    if not telling.expected:
        return "another shape was"
    return f"{len(right)} values were" if isinstance(expected, list) else f"shape {shape_text(right.shape)} was"


def _advice(got: Any) -> str:
    return "The function ends without return." if got is None else _IN_ORDER
