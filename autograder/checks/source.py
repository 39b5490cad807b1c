"""source: facts of the uploaded Python text that behaviour can't show."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

from pydantic import Field

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._syntax import Code, Use, read
from autograder.checks._values import rows, text
from autograder.checks.base import Check, Context, Params, failed
from autograder.model import Observation, Outcome


class SourceParams(Params):
    """What the text must and must not do. A name may be a pattern (`torch.optim.*`) and may leave its front out."""

    within: str = Field("", description="Look only into this function, class or `Class.method`.")
    must_call: tuple[str, ...] = Field((), description="Each of these must be called, such as `zero_grad`.")
    must_call_one_of: tuple[str, ...] = Field((), description="At least one of these must be called.")
    must_not_call: tuple[str, ...] = Field((), description="None of these may be called, such as `numpy.linalg.*`.")
    must_use: tuple[str, ...] = Field((), description="Each of these names or attributes must occur.")
    must_not_use: tuple[str, ...] = Field((), description="None of these names or attributes may occur.")
    must_import: tuple[str, ...] = Field((), description="Modules that must be imported somewhere.")
    must_not_import: tuple[str, ...] = Field((), description="Modules that may not be imported, with all below them.")
    must_define: tuple[str, ...] = Field((), description="Functions or classes that must be defined.")
    loops: Literal["free", "forbidden", "required"] = Field("free", description="for and while, and comprehensions.")
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")


class Source(Check):
    """Reads the syntax tree of the upload outside the student's process; nothing is run."""

    kind: ClassVar[str] = "source"
    title: ClassVar[str] = "How it is written"
    probes: ClassVar[frozenset[str]] = frozenset({"source"})
    Params: ClassVar[type[Params]] = SourceParams

    def judge(self, observation: Observation, _context: Context, params: SourceParams) -> Outcome:
        """Hold each demand against every file."""
        code = read([(text(row.get("name"), 100), row.get("code")) for row in rows(observation.values.get("files"))])
        if not code.files:
            trouble = code.troubles[0] if code.troubles else "There is no Python text to read."
            return failed(trouble, "Upload the notebook or module itself; it must be valid Python.")
        if params.within and not code.narrow(params.within):
            return failed(f"There is no definition of {params.within}.", f"Define {params.within} as the handout says.")
        unread = [Demand(code.troubles[0], "Remove or mend that part.")] if code.troubles else []
        demands = [
            *(_must(code.calls, name, "called", code) for name in params.must_call),
            *([_one_of(code, params.must_call_one_of)] if params.must_call_one_of else []),
            *(_must_not(code.calls, name, "called") for name in params.must_not_call),
            *(_must([*code.names, *code.calls], name, "used", code) for name in params.must_use),
            *(_must_not([*code.names, *code.calls], name, "used") for name in params.must_not_use),
            *(_imported(code.imports, name) for name in params.must_import),
            *(_not_imported(code.imports, name) for name in params.must_not_import),
            *(_must(code.definitions, name, "defined", code) for name in params.must_define),
            *_loops(code, params),
            *(unread if _forbids(params) else []),
        ]
        return outcome_of(demands, "It is written as asked for.", share=params.partial)


def _forbids(params: SourceParams) -> bool:
    """True if something must not be there: then a text that can't be read can't pass."""
    return bool(params.must_not_call or params.must_not_use or params.must_not_import or params.loops == "forbidden")


def _is(name: str, wanted: str) -> bool:
    """True if a dotted name is the wanted one, or ends with it."""
    return fnmatchcase(name, wanted) or fnmatchcase(name, f"*.{wanted}")


def _must(uses: Iterable[Use], wanted: str, verb: str, code: Code) -> Demand:
    if any(_is(use.name, wanted) for use in uses):
        return Demand()
    place = f" in {code.within}" if code.within else ""
    return Demand(f"{wanted} is not {verb}{place}.", f"The task asks for {wanted}.")


def _one_of(code: Code, wanted: tuple[str, ...]) -> Demand:
    if any(_is(use.name, name) for use in code.calls for name in wanted):
        return Demand()
    return Demand(f"None of {', '.join(wanted)} is called.", "The task asks for one of them.")


def _must_not(uses: Iterable[Use], wanted: str, verb: str) -> Demand:
    found = next((use for use in uses if _is(use.name, wanted)), None)
    if found is None:
        return Demand()
    return Demand(f"{found.name[:80]} is {verb} in {found.place}, which the task does not allow.", "Write it yourself.")


def _imports(use: Use, module: str) -> bool:
    return fnmatchcase(use.name, module) or use.name.startswith(module + ".")


def _imported(imports: Iterable[Use], module: str) -> Demand:
    trouble = "" if any(_imports(use, module) for use in imports) else f"{module} is not imported."
    return Demand(trouble, "The task is to be solved with it; the handout says how.")


def _not_imported(imports: Iterable[Use], module: str) -> Demand:
    found = next((use for use in imports if _imports(use, module)), None)
    if found is None:
        return Demand()
    return Demand(f"{found.name[:80]} is imported in {found.place}, which the task does not allow.", "Do without it.")


def _loops(code: Code, params: SourceParams) -> list[Demand]:
    if params.loops == "free":
        return []
    first: Any = code.loops[0] if code.loops else None
    if params.loops == "required":
        return [Demand("" if first else "There is no loop.", "The task asks for a for or while loop.")]
    words = f"There is a {first.name} in {first.place}; the task asks for none." if first else ""
    return [Demand(words, "Let one operation on whole arrays do it (broadcasting, sum over an axis, matrix product).")]
