"""raises: illegal calls are refused with the right kind of exception."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from autograder.checks._cases import Answered, answered, error_hint, error_text, example, list_name, smallest
from autograder.checks._trees import Telling, kind_of
from autograder.checks._values import text
from autograder.checks.base import CaseList, Check, Context, GroupName, Params, failed, partial, passed
from autograder.model import Observation, Outcome


class RaisesParams(Params):
    """Which cases."""

    cases: CaseList = Field("", description="The case list; default: the one that was called.")
    only: tuple[GroupName, ...] = Field((), description="Only cases of these groups.")
    partial: bool = Field(False, description="Points for the share of groups (or cases) that are right.")
    show: Literal["inputs", "nothing"] = Field(
        "inputs", description="Whether a student sees the smallest wrong call. Of hidden case lists nothing is shown."
    )


class Raises(Check):
    """Every case that names exceptions must end in one of them, or in one derived from it.

    Where the list has legal cases as well, at least one of them must be answered: who refuses everything tells nothing.
    """

    kind: ClassVar[str] = "raises"
    title: ClassVar[str] = "Illegal input"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = RaisesParams

    def judge(self, observation: Observation, context: Context, params: RaisesParams) -> Outcome:
        """Look at the cases that must raise; what the others answer is left to other checks."""
        name = list_name(observation, params.cases, context)
        legal = [a for a in answered(observation, name, context, ()) if not a.case.raises]
        every = [a for a in answered(observation, name, context, params.only) if a.case.raises]
        if not every:
            return failed("No call had to raise.", "Tell your instructor: this check of the task has no cases.")
        if legal and all(a.error is not None for a in legal):
            return failed(
                "Every call is refused, also the legal ones.", "Refuse only the arguments that make no sense."
            )
        wrong = [a for a in every if not _is_right(a)]
        if not wrong:
            return passed(f"All {len(every)} illegal calls are refused.")
        shown = smallest(wrong)
        words, hint = _words(shown, Telling.of(observation, hidden=name in context.hidden))
        message = f"{len(wrong)} of {len(every)} illegal calls are not refused as they should be. {words}"
        evidence = example(observation, name, context, params.show, shown)
        if params.partial:
            groups, bad = {a.group for a in every}, {a.group for a in wrong}
            return partial(1 - len(bad) / len(groups), message, hint, **evidence)
        return failed(message, hint, **evidence)


def _is_right(answer: Answered) -> bool:
    if answer.error is None:
        return False
    return any(_is_a(answer.error, wanted) for wanted in answer.case.raises)


def _is_a(error: Mapping[str, Any], wanted: str) -> bool:
    """True if the exception is of the wanted type or, as far as Python itself knows, of one derived from it."""
    parent = getattr(builtins, wanted, None)
    for kind in (text(error.get("type")), text(error.get("base"))):
        child = getattr(builtins, kind, None)
        if kind == wanted and kind:
            return True
        if isinstance(child, type) and isinstance(parent, type) and issubclass(child, parent):
            return True
    return False


def _words(answer: Answered, telling: Telling) -> tuple[str, str]:
    wanted = " or ".join(answer.case.raises)
    if answer.missing:
        return f"{wanted} was expected, but there is no answer.", "Does your code end by itself, without exit()?"
    if answer.error is None:
        hint = f"Test the arguments first, and `raise {answer.case.raises[0]}(…)` with words if they are illegal."
        return f"{wanted} was expected, but the call returned {kind_of(answer.value, told=telling.got)}.", hint
    hint = f"Test the arguments before computing with them, and raise {answer.case.raises[0]} yourself."
    said = f"{wanted} was expected, but the call raised {error_text(answer.error)}."
    return said, f"{hint} {error_hint(answer.error)}".strip()
