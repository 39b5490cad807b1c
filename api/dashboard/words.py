"""The dashboard's words for verdicts, scores, sizes and evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from api.dashboard.svg import readable
from autograder.model import CheckResult, Verdict, Visibility
from autograder.text import one_line, printable

LABELS = {
    Verdict.PASSED: "passed",
    Verdict.PARTIAL: "partly right",
    Verdict.FAILED: "failed",
    Verdict.CRASHED: "crashed",
    Verdict.TIMED_OUT: "timed out",
    Verdict.OUT_OF_MEMORY: "out of memory",
    Verdict.OUTPUT_LIMIT: "printed too much",
    Verdict.SKIPPED: "skipped",
    Verdict.GRADER_ERROR: "our failure",
    "queued": "waiting",
    "running": "being graded",
    "refused": "not taken",
    "done": "graded",
}
_MAX_FACTS = 12
NOT_ISOLATED = "without isolation"


def label(word: str) -> str:
    """A verdict or status in words."""
    return LABELS.get(word, word.replace("_", " "))


def mark(warning: str) -> str:
    """What stands beside a score whose report has a warning about its sandbox; the page that it leads to says more."""
    return NOT_ISOLATED if warning else ""


def points(value: float | None) -> str:
    """Points with at most two decimals and no idle zeros; empty for none."""
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def size(octets: int) -> str:
    """A file size."""
    if octets < 1000:
        return f"{octets} bytes"
    return f"{octets / 1000:.0f} KB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def percent(part: float, whole: float) -> int:
    """A whole percentage that says 100 or 0 only where it is true."""
    if not whole > 0 or not math.isfinite(part):
        return 0
    share = max(0.0, min(part / whole, 1.0))
    if 0 < share < 1:
        return min(max(round(share * 100), 1), 99)
    return round(share * 100)


def facts(evidence: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Evidence other than plots as label and text, for a small table."""
    rows = []
    for key, value in evidence.items():
        if key == "plots" or value is None or value == "" or value == []:
            continue
        rows.append((one_line(str(key).replace("_", " "), 60), _value(value)))
    return tuple(rows[:_MAX_FACTS])


def _value(value: Any, depth: int = 0) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return readable(value)
    if isinstance(value, Mapping) and depth < 3:
        shown = [f"{one_line(key, 40)}: {_value(item, depth + 1)}" for key, item in list(value.items())[:20]]
        return ", ".join(shown) + (" …" if len(value) > 20 else "")
    if isinstance(value, list | tuple) and depth < 3:
        return ", ".join(_value(item, depth + 1) for item in value[:20]) + (" …" if len(value) > 20 else "")
    return printable(value, 1000)


_SHOWN_LATER = {
    Visibility.AFTER_DUE_DATE: "after the due date",
    Visibility.AFTER_PUBLISHED: "when results are published",
}


def withheld_note(withheld: Mapping[Visibility, int]) -> str:
    """How many more checks count, and when they will be shown; empty if there are none."""
    later = sum(withheld.get(visibility, 0) for visibility in _SHOWN_LATER)
    never = withheld.get(Visibility.HIDDEN, 0)
    said = []
    if later:
        when = " or ".join(words for visibility, words in _SHOWN_LATER.items() if withheld.get(visibility))
        verb = "counts as well and is" if later == 1 else "count as well and are"
        said.append(f"{later} more {_checks(later)} {verb} not shown yet: see again {when}.")
    if never:
        verb = "counts as well and stays" if never == 1 else "count as well and stay"
        said.append(f"{never} more {_checks(never)} {verb} hidden.")
    return " ".join(said)


def _checks(number: int) -> str:
    return "check" if number == 1 else "checks"


def so_far(verdict: Verdict, withheld: int) -> str:
    """A verdict as a short label; while checks are withheld, none that sounds final."""
    if withheld and verdict is Verdict.PASSED:
        return "passed so far"
    return "graded" if withheld and verdict is Verdict.SKIPPED else label(verdict)


def headline(checks: Sequence[CheckResult], verdict: Verdict, withheld: Mapping[Visibility, int]) -> tuple[str, str]:
    """The big sentence over a report and the smaller one below. Never says "all" while checks are withheld."""
    done = sum(check.verdict is Verdict.PASSED for check in checks)
    later = withheld_note(withheld)
    if verdict is Verdict.GRADER_ERROR:
        return (
            "Something went wrong on our side",
            "This is not your fault, and it does not count as an attempt. Your instructor can grade it again.",
        )
    if checks and done == len(checks):
        if withheld:
            return "All shown checks passed", later
        return ("The check passed" if len(checks) == 1 else f"All {len(checks)} checks passed"), "Well done."
    if not checks:
        return "Graded", later or "There are no checks to show."
    heading = {
        Verdict.CRASHED: "Your code stopped with an error",
        Verdict.TIMED_OUT: "Your code took too long",
        Verdict.OUT_OF_MEMORY: "Your code used too much memory",
        Verdict.OUTPUT_LIMIT: "Your code printed too much",
    }.get(verdict, "Nearly there" if done * 4 >= len(checks) * 3 else "Not there yet")
    what = "shown checks" if withheld else "checks"
    return heading, f"{done} of {len(checks)} {what} passed. {later}".strip()
