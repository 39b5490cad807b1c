"""entry_points: the names the handout asks for are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from autograder.checks._values import text
from autograder.checks.base import Check, Context, Params, failed, partial, passed
from autograder.model import Observation, Outcome


class EntryPoints(Check):
    """Every required entry point was found, under its own name or an accepted other one."""

    kind: ClassVar[str] = "entry_points"
    title: ClassVar[str] = "Names"
    probes: ClassVar[frozenset[str]] = frozenset({"resolve"})

    def judge(self, observation: Observation, _context: Context, _params: Params) -> Outcome:
        """Share of the required names found."""
        entries = observation.values.get("entries")
        if not isinstance(entries, Mapping) or not entries:
            return failed("Nothing could be looked up in your submission.", "Upload the file with your definitions.")
        required = _required(entries)
        if not required:
            return failed("Nothing could be looked up in your submission.", "Upload the file with your definitions.")
        found = {k: v for k, v in required.items() if _name(v)}
        missing = [v for k, v in required.items() if k not in found]
        lines = {name: _found_as(v) for name, v in required.items()}
        if not missing:
            others = [f"{_name(v)} as {_official(v)}" for v in found.values() if _name(v) != _official(v)]
            return passed("Found " + ", ".join(lines) + (f" (taking {'; '.join(others)})" if others else "") + ".")
        words = " ".join(_message(v) for v in missing)
        hint = "Define " + " and ".join(f"{_official(v)} ({text(v.get('kind'))})" for v in missing) + " at top level."
        if not found:
            return failed(words, hint, **lines)
        return partial(len(found) / len(required), words, hint, **lines)


def _required(entries: Mapping[object, object]) -> dict[str, Mapping[str, object]]:
    """What must be there, by official name: a spec may build one function's model several times."""
    required: dict[str, Mapping[str, object]] = {}
    for key, entry in entries.items():
        if isinstance(entry, Mapping) and entry.get("required") is True:
            name = _official(entry) or text(key)
            if name not in required or not _name(entry):
                required[name] = entry
    return required


def _found_as(entry: Mapping[str, object]) -> str:
    return f"found: {_name(entry)}" if _name(entry) else "missing"


def _name(entry: Mapping[str, object]) -> str:
    """The name found, or an empty string."""
    return text(entry.get("found"))


def _official(entry: Mapping[str, object]) -> str:
    return text(entry.get("official"))


def _message(entry: Mapping[str, object]) -> str:
    return text(entry.get("message"), 1000) or f"{_official(entry)} was not found."
