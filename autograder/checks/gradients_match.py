"""gradients_match: every partial derivative points the right way and has the right length."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._cases import Answered, answered, error_hint, error_text, example, list_name, sizes_of, smallest
from autograder.checks._mistakes import diagnoses
from autograder.checks._trees import Leaf, Telling, Tolerance, kind_of, leaves, plain_array
from autograder.checks._values import shape_text
from autograder.checks.base import Array, CaseList, Check, Context, GroupName, Params, failed, partial, passed
from autograder.model import Observation, Outcome, Statistic

_RIGHT = "right"
_SMALL = 1e-12


class GradientsMatchParams(Params):
    """Which gradients and how close."""

    cases: CaseList = Field("", description="The case list; default: the one that was called.")
    only: tuple[GroupName, ...] = Field((), description="Only cases of these groups.")
    names: tuple[str, ...] = Field((), description="What the returned gradients belong to, in order: [A, B].")
    rtol: float = Field(1e-3, ge=0, description="Allowed difference relative to the gradient's largest value.")
    atol: float = Field(1e-7, ge=0, description="Allowed difference beside that.")
    partial: bool = Field(True, description="Points for the share of gradients that are right in all cases.")
    show: Literal["inputs", "answer", "nothing"] = Field(
        "inputs", description="What of the smallest wrong case a student sees. Of hidden case lists nothing is shown."
    )


@dataclass(frozen=True)
class _Partial:
    """One gradient of one case: its name and what is wrong with it in words (`right` if nothing).

    excess: its difference as a multiple of what is allowed, NaN where that can't be told.
    """

    name: str
    words: str
    hint: str = ""
    excess: float = math.nan


class GradientsMatch(Check):
    """Compares each gradient of a returned tuple, list or dictionary with the data set's own."""

    kind: ClassVar[str] = "gradients_match"
    title: ClassVar[str] = "Gradients"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = GradientsMatchParams

    def judge(self, observation: Observation, context: Context, params: GradientsMatchParams) -> Outcome:
        """One verdict for each gradient over all cases: its commonest trouble."""
        name = list_name(observation, params.cases, context)
        every = [a for a in answered(observation, name, context, params.only) if not a.case.raises]
        if not every:
            return failed("There is nothing to compare.", "Tell your instructor: this check of the task has no cases.")
        if broken := [a for a in every if a.missing or a.error is not None]:
            answer = smallest(broken)
            said = error_text(answer.error) if answer.error is not None else "nothing"
            hint = error_hint(answer.error or {}) or "Call your function yourself with such arguments."
            evidence = example(observation, name, context, params.show, answer)
            return failed(f"Gradients were expected, the call gave {said}.", hint, **evidence)
        telling = Telling.of(observation, hidden=name in context.hidden)
        found = [(answer, _partials(answer, params, telling)) for answer in every]
        names = list(dict.fromkeys(p.name for _, partials in found for p in partials))
        worst = {n: _commonest([p for _, partials in found for p in partials if p.name == n]) for n in names}
        wrong = {n: p for n, p in worst.items() if p.words != _RIGHT}
        evidence = {_plain(n): p.words for n, p in worst.items()}
        measured = _measured([p for _, partials in found for p in partials])
        if not wrong:
            count = f"all {len(names)} gradients are" if len(names) > 1 else "the gradient is"
            return passed(f"In {len(every)} cases {count} right.", **evidence).measured(*measured)
        message = " ".join(f"{_plain(n)}: {p.words}." for n, p in list(wrong.items())[:4])
        hint = next(iter(wrong.values())).hint
        shown = smallest(a for a, partials in found if any(p.words != _RIGHT for p in partials))
        evidence = example(observation, name, context, params.show, shown) | evidence
        if params.partial:
            return partial(1 - len(wrong) / len(names), message, hint, **evidence).measured(*measured)
        return failed(message, hint, **evidence).measured(*measured)


def _measured(partials: list[_Partial]) -> list[Statistic]:
    """The largest difference of all gradients that could be compared."""
    finite = [p.excess for p in partials if math.isfinite(p.excess)]
    return [Statistic.excess(max(finite), "rtol")] if finite else []


def _plain(name: str) -> str:
    return f"gradient of {name}" if name else "gradient"


def _commonest(partials: list[_Partial]) -> _Partial:
    """The trouble that occurs in most cases; right only if it is so in all."""
    wrong = [p for p in partials if p.words != _RIGHT]
    if not wrong:
        return partials[0]
    counts = Counter(p.words for p in wrong)
    return max(wrong, key=lambda p: counts[p.words])


def _partials(answer: Answered, params: GradientsMatchParams, telling: Telling) -> list[_Partial]:
    """A verdict for each gradient. Gradients are the members of a tuple or dictionary; anything else is one."""
    expected = answer.case.expected
    tolerance, sizes = Tolerance(params.rtol, params.atol), sizes_of(answer.case)
    found = []
    for i, leaf in enumerate(leaves(expected, answer.value, more_keys=True, telling=telling)):
        name = params.names[i] if i < len(params.names) else _named(leaf.path)
        if leaf.trouble:
            count = max(len(params.names), 1)
            names = params.names or (name,)
            return [_Partial(names[k], leaf.trouble, "Return the gradients the handout names.") for k in range(count)]
        found.append(_verdict(name, leaf, tolerance, sizes, telling))
    return found


def _named(path: str) -> str:
    """A readable name for a place of the answer: ['W'] is W, [0] is number 1."""
    inner = path.strip("[]").strip("'")
    return f"number {int(inner) + 1}" if inner.isdigit() else inner


def _verdict(name: str, leaf: Leaf, tolerance: Tolerance, sizes: set[int], telling: Telling) -> _Partial:
    right, given = plain_array(leaf.expected), plain_array(leaf.got)
    got = kind_of(leaf.got, told=telling.got)
    if right is None or given is None:
        hint = "Return the gradient as an array." if leaf.got is not None else "Does the function end with return?"
        return _Partial(name, f"an array was expected, got {got}", hint)
    if given.shape != right.shape and not given.size == right.size == 1:
        causes = diagnoses(given, right, tolerance.close)
        words, hint = _SHAPES.get(causes[0], ("", "")) if causes else ("", "")
        wanted = f"shape {shape_text(right.shape)}" if telling.expected else "another shape"
        said = words or f"{wanted} was expected, got {got}"
        return _Partial(name, said, hint or "A gradient has the shape of what it belongs to.")
    given = given.reshape(right.shape)
    if not np.isfinite(given).all():
        return _Partial(name, "NaN or infinite", "Look for a division by zero, or the logarithm of zero.")
    excess = tolerance.excess(given, right)
    if excess <= 1.0:
        return _Partial(name, _RIGHT, excess=excess)
    return _Partial(name, *_cause(given, right, tolerance, sizes), excess)


_SHAPES = {
    "transposed": ("transposed", "Swap the factors of the matrix product, or transpose the result."),
    "not_summed": ("not summed over the batch", "Sum over the axis of the examples (a bias is shared by all of them)."),
    "not_averaged": ("not averaged over the batch", "Take the mean over the axis of the examples."),
    "extra_axis": ("an axis of length 1 too many or too few", "A gradient has the shape of what it belongs to."),
    "flattened": ("flattened", "A gradient has the shape of what it belongs to."),
}
_VALUES = {
    "transposed": _SHAPES["transposed"],
    "sign": ("wrong sign", "Gradient descent subtracts the gradient; the gradient itself keeps its sign."),
    "times_n": ("too large by a number of elements: 1/N is missing", "The derivative of a mean has the factor 1/N."),
    "over_n": ("too small by a number of elements: divided once too often", "Divide by N once only."),
    "double": ("twice as large", "Does the loss have a factor 1/2 that cancels the 2 of the square?"),
    "half": ("half as large", "The derivative of a square has the factor 2."),
    "factor": ("right direction, wrong length: a constant factor is wrong", "Follow each constant of the loss."),
}


def _cause(given: Array, right: Array, tolerance: Tolerance, sizes: set[int]) -> tuple[str, str]:
    """Words and hint: known mistakes first, then what direction and length say."""
    causes = diagnoses(given, right, tolerance.close, sizes)
    for cause in causes:
        if cause in _VALUES and cause != "factor":
            return _VALUES[cause]
    for constant in (2.0, 0.5):
        both = diagnoses(given / constant, right, tolerance.close, sizes)
        if "times_n" in both or "over_n" in both:
            return "wrong by a factor 2 and a number of elements", "Follow 2 and 1/N through the derivative."
    if "factor" in causes:
        return _VALUES["factor"]
    largest = max(float(np.abs(given).max()), _SMALL)
    given, right = given / largest, right / max(float(np.abs(right).max()), _SMALL)
    if float(np.abs(given).max()) <= _SMALL or largest <= _SMALL:
        return "zero", "Is the loss connected with it? Is the result returned?"
    lengths = float(np.linalg.norm(given) * np.linalg.norm(right))
    cosine = float((given * right).sum()) / max(lengths, _SMALL)
    if given.size > 2 and cosine <= -0.5:
        return "points the wrong way", "Look for a minus that is missing or doubled."
    wrong = (np.abs(given) <= 1e-9) != (np.abs(right) <= 1e-9)
    if wrong.any():
        return "zero in other places than it should be", "Look at the derivative of the activation, and at masks."
    if given.size > 2 and cosine >= 0.5:
        return "roughly the right direction: a factor of the chain rule is missing", (
            "Multiply by the derivative of every function between it and the loss (the activation, the square)."
        )
    return "wrong direction", "Write the chain rule down link by link, and check each by finite differences."
