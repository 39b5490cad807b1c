"""The check type entry_points on observations that just pass and just fail, with the words a student reads."""

from __future__ import annotations

from autograder.model import Verdict
from tests.checks.examples import judge


def test_entry_points_give_partial_credit_and_name_what_is_missing() -> None:
    entries = {
        "model": {"found": "Net", "how": "alias", "official": "CNN", "kind": "model", "required": True},
        "train": {"found": None, "official": "train", "kind": "function", "required": True, "message": "No train."},
        "extra": {"found": None, "official": "plot", "kind": "function", "required": False},
    }
    outcome = judge("entry_points", "resolve", {"entries": entries})
    assert (outcome.verdict, outcome.fraction) == (Verdict.PARTIAL, 0.5)
    assert outcome.message == "No train."
    assert "Define train" in outcome.hint


def test_a_function_that_is_used_twice_is_named_once() -> None:
    lost = {
        "required": True,
        "official": "build_model",
        "kind": "function",
        "message": "No function named build_model.",
    }
    here = {"required": True, "official": "compare", "found": "compare", "kind": "function"}
    outcome = judge("entry_points", "resolve", {"entries": {"small": lost, "large": lost, "compare": here}})
    assert outcome.message == "No function named build_model."
    assert outcome.hint.count("build_model") == 1
    assert outcome.fraction == 0.5
