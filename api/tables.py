"""Scores as CSV that no spreadsheet mistakes for formulas."""

from __future__ import annotations

import csv
import io

from autograder.services.views import Scores
from autograder.text import one_line

HEAD = (
    "student_id",
    "name",
    "email",
    "attempts",
    "latest_score",
    "latest_verdict",
    "best_score",
    "max_score",
    "last_submitted",
    "latest_warning",
    "best_warning",
)
_FORMULA_STARTS = tuple("=+-@＝＋－＠")
_UNSEEN = " \u200c\u200d"  # what may stand before them once hidden characters are gone


def safe_cell(value: object) -> str:
    """Text as one cell. What a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = one_line(value, 500).lstrip(_UNSEEN)
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text


def scores_csv(scores: Scores) -> str:
    """One line a student, in the order of the page."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEAD)
    for row in sorted(scores.rows, key=lambda row: (row.name.casefold(), row.email)):
        cells = (
            row.student_id,
            row.name,
            row.email,
            row.attempts,
            row.latest_score,
            row.latest_verdict,
            row.best_score,
            scores.assignment.points,
            row.last_submitted.isoformat(timespec="seconds") if row.last_submitted else None,
            row.latest_warning,
            row.best_warning,
        )
        writer.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()
