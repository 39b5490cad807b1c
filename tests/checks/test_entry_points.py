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
