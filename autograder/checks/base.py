"""What a check is: parameters, the observation it needs, and a pure judgement.

One check type is one file here, one class, one name. A check never raises on bad observations: missing, empty, NaN,
infinite, wrong shape, wrong dtype and huge values each give a verdict. Write every comparison so that NaN fails.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from autograder.model import Observation, Outcome, Trust, Verdict

Array = np.ndarray[Any, Any]
# Parameters that name something of the spec are annotated so; the loader looks them up and suggests a near name.
ArrayName = Annotated[str, Field(json_schema_extra={"names": "array"})]  # an array of the data set
CaseList = Annotated[str, Field(json_schema_extra={"names": "cases"})]  # a list of calls of the data set
GroupName = Annotated[str, Field(json_schema_extra={"names": "group"})]  # a group of the cases in that list
FactName = Annotated[str, Field(json_schema_extra={"names": "fact"})]  # a fact of the data set
LabelName = Annotated[str, Field(json_schema_extra={"names": "label"})]  # a label of a training's `evaluate`
MAX_VALUES = 1 << 24  # in one array: a frame of flags would grow eightfold as float64, and again with each step


class Params(BaseModel):
    """Parameters of a check as written in a spec. Unknown keys are refused; every field carries a description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Context:
    """What the judge knows and the student's process never sees.

    arrays: every array of the data set by name (inputs, labels, references). class_names: in label order, if any.
    cases: the data set's lists of calls (each a specs.dataset.Case). facts: what only the judge knows. hidden: names of
    arrays and case lists that a student must not read anything of. also: other observations by role. data_name: which
    data set it is.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    cases: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    also: Mapping[str, Observation] = field(default_factory=dict)
    data_name: str = ""


class Check(ABC):
    """A check type. Subclasses set `kind`, `title`, `probes` and `Params`, and write `judge`.

    One that compares several observations names the others by role: a spec gives each with `also: {role: observation}`,
    and `context.also` has them.
    """

    kind: ClassVar[str]  # the `type` a spec names it by
    title: ClassVar[str]  # default title on a report
    probes: ClassVar[frozenset[str]]  # kinds of probe whose observation it can judge
    points: ClassVar[float] = 1.0  # what it is worth where a spec does not say
    also_roles: ClassVar[Mapping[str, frozenset[str]]] = {}  # role → kinds of probe it accepts; the spec must give it
    optional_roles: ClassVar[Mapping[str, frozenset[str]]] = {}  # the same, for roles a spec may leave out
    wants_leftover: ClassVar[bool] = False  # judges the gradient that a training left; see the probe `train`
    # Whether points can rest on the student process's own word: None: where its probe's values are that; or always,
    # never, or where one of these parameters is set. A word that can only cost points does not count.
    own_word: ClassVar[bool | tuple[str, ...] | None] = None
    Params: ClassVar[type[Params]] = Params

    def trust(self, observation: Observation, context: Context, params: Any) -> Trust:
        """How a judgement of these observations is marked on a report."""
        rests = self.own_word
        if rests is None:
            rests = Trust.REPORTED in {observation.trust, *(other.trust for other in context.also.values())}
        elif not isinstance(rests, bool):
            fields = type(params).model_fields
            rests = any(getattr(params, n) != fields[n].get_default(call_default_factory=True) for n in rests)
        return Trust.REPORTED if rests else Trust.MEASURED

    @abstractmethod
    def judge(self, observation: Observation, context: Context, params: Any) -> Outcome:
        """Judge one observation. Pure: same arguments, same outcome; no files, clock or random numbers."""


def passed(message: str, **evidence: Any) -> Outcome:
    """Full marks."""
    return Outcome(Verdict.PASSED, 1.0, message, evidence=evidence)


def failed(message: str, hint: str = "", **evidence: Any) -> Outcome:
    """No marks; `hint` says what to try."""
    return Outcome(Verdict.FAILED, 0.0, message, hint, evidence)


def partial(fraction: float, message: str, hint: str = "", **evidence: Any) -> Outcome:
    """Some marks. A fraction that is not a number, or outside 0..1, is brought to the safe side."""
    safe = min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0
    if safe >= 1.0:
        return passed(message, **evidence)
    verdict = Verdict.PARTIAL if safe > 0.0 else Verdict.FAILED
    return Outcome(verdict, safe, message, hint, evidence)


def as_array(value: Any) -> Array | None:
    """The value as a float64 array, or None if it is no numeric array of 1 to MAX_VALUES numbers. Never raises."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub" or not 0 < value.size <= MAX_VALUES:
        return None
    return np.array(value, dtype=np.float64)  # a plain array even of a subclass with ideas of its own
