"""arguments_kept: a function leaves the lists and arrays that it is given as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks.base import CaseList, Check, Context, GroupName, Params, failed, passed
from autograder.model import Observation, Outcome

_HINT = "Work on a copy: list(x), x.copy(), or an expression that makes a new object (a - b instead of a -= b)."


class ArgumentsKeptParams(Params):
    """Which calls."""

    cases: CaseList | None = Field(None, description="Case list that was called; default: the observation's own.")
    only: tuple[GroupName, ...] = Field((), description="Groups of cases to look at; default: all.")


class ArgumentsKept(Check):
    """No argument is changed by any call. The observation needs `keep_arguments: true`.

    Calls that raise count too, but where no legal call is answered nothing was shown.
    """

    kind: ClassVar[str] = "arguments_kept"
    title: ClassVar[str] = "Arguments are left as they were"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    own_word: ClassVar[bool] = True
    Params: ClassVar[type[Params]] = ArgumentsKeptParams

    def judge(self, observation: Observation, context: Context, params: ArgumentsKeptParams) -> Outcome:
        """Compare the arguments after each call with those that were sent."""
        name = params.cases or observation.values.get("cases")
        cases = context.cases.get(name, ()) if isinstance(name, str) else ()
        answers = observation.values.get("answers")
        answers = answers if isinstance(answers, list) else []
        looked_at, legal = 0, []
        for at, case in enumerate(cases):
            if params.only and case.group not in params.only:
                continue
            answer = answers[at] if at < len(answers) else None
            after = answer.get("arguments") if isinstance(answer, Mapping) else None
            if not isinstance(after, list) or len(after) != len(case.arguments):
                return failed("Not every call came back with its arguments.", "Does your function answer every call?")
            for position, (before, now) in enumerate(zip(case.arguments, after, strict=True), start=1):
                if not _same(before, now):
                    return failed(f"A call changed its argument number {position}.", _HINT)
            looked_at += 1
            if isinstance(answer, Mapping) and not case.raises:
                legal.append("error" in answer)
        if legal and all(legal):
            return failed("Every call ended in an error, so nothing was seen.", "Let the function answer legal calls.")
        if not looked_at:
            return failed("There was no call to look at.", "Does your function answer every call?")
        return passed("No call changed what it was given.")


def _same(before: Any, after: Any) -> bool:
    """True if a tree came back as it was sent; a tuple comes back as a list."""
    if isinstance(before, Mapping):
        if not isinstance(after, Mapping) or list(before) != list(after):
            return False
        return all(_same(before[key], after[key]) for key in before)
    if isinstance(before, list | tuple):
        if isinstance(after, np.ndarray):  # a long list of numbers travels so
            after = after.tolist() if after.shape == (len(before),) else None
        if not isinstance(after, list) or len(before) != len(after):
            return False
        return all(_same(one, other) for one, other in zip(before, after, strict=True))
    if isinstance(before, np.ndarray):
        if not isinstance(after, np.ndarray) or before.shape != after.shape or before.dtype != after.dtype:
            return False
        return bool(np.array_equal(before, after, equal_nan=before.dtype.kind == "f"))
    return type(before) is type(after) and bool(before == after)
