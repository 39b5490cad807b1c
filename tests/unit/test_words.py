"""What is said about checks that are not shown: how many, when they appear, and never that all is well."""

from __future__ import annotations

import pytest

from api.dashboard import words
from autograder.model import Verdict, Visibility
from tests.factories import make_check

DUE, OUT, HIDDEN = Visibility.AFTER_DUE_DATE, Visibility.AFTER_PUBLISHED, Visibility.HIDDEN


@pytest.mark.parametrize(
    ("withheld", "note"),
    [
        ({}, ""),
        ({DUE: 1}, "1 more check counts as well and is not shown yet: see again after the due date."),
        ({OUT: 2}, "2 more checks count as well and are not shown yet: see again when results are published."),
        (
            {DUE: 1, OUT: 1, HIDDEN: 1},
            "2 more checks count as well and are not shown yet: see again after the due date or when results are "
            "published. 1 more check counts as well and stays hidden.",
        ),
        ({HIDDEN: 2}, "2 more checks count as well and stay hidden."),
    ],
)
def test_the_note_says_when_the_rest_is_shown(withheld: dict[Visibility, int], note: str) -> None:
    assert words.withheld_note(withheld) == note


def test_nothing_sounds_final_while_checks_are_withheld() -> None:
    assert words.headline([make_check(1)], Verdict.PASSED, {HIDDEN: 1})[0] == "All shown checks passed"
    assert words.headline([make_check(1), make_check(2)], Verdict.PASSED, {})[0] == "All 2 checks passed"
    assert words.so_far(Verdict.PASSED, 1) == "passed so far"
    assert words.so_far(Verdict.PASSED, 0) == "passed"
    assert words.so_far(Verdict.SKIPPED, 3) == "graded"
    assert words.so_far(Verdict.FAILED, 3) == "failed"
