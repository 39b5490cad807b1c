"""`bin/bench validity` keeps what it measured and measures again only what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.specs.dataset import DataSet
from autograder.specs.loader import load_spec
from autograder.specs.solutions import find_solutions
from benchmarks import validity
from benchmarks.validity import FIRST_SEED, STRIDE, Subject, extended, kept
from tests.conftest import ROOT, SPECS

SOLUTIONS = find_solutions(ROOT / "tests/fixtures/solutions/tiny-training")


def test_a_part_is_measured_once_for_each_state_of_a_spec(tmp_path: Path) -> None:
    calls: list[str] = []

    def measure() -> dict[str, Any]:
        calls.append("once more")
        return {"runs": len(calls)}

    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    assert kept(tmp_path, subject, "mutation", 50, False, measure)["runs"] == 1
    assert kept(tmp_path, subject, "mutation", 50, False, measure)["runs"] == 1
    assert kept(tmp_path, subject, "mutation", 50, True, measure)["runs"] == 2
    assert kept(tmp_path, subject, "mutation", 60, False, measure)["runs"] == 3
    assert kept(tmp_path, subject, "mutation", 50, False, measure)["runs"] == 3  # the larger sample is as good
    fewer = Subject(subject.loaded, SOLUTIONS[1:], subject.data)
    assert kept(tmp_path, fewer, "mutation", 60, False, measure)["runs"] == 4


def test_more_seeds_are_added_to_those_that_are_kept(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def measure(first: int, count: int) -> dict[str, Any]:
        calls.append((first, count))
        return {"runs": 2 * count, "failed": [{"seed": first}]}

    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    assert extended(tmp_path, subject, STRIDE + 2, False, measure)["runs"] == 2 * STRIDE + 4
    assert calls == [(FIRST_SEED, STRIDE), (FIRST_SEED + STRIDE, 2)]
    assert len(extended(tmp_path, subject, STRIDE + 5, False, measure)["failed"]) == 3
    assert calls[2:] == [(FIRST_SEED + STRIDE + 2, 3)]
    assert extended(tmp_path, subject, STRIDE, False, measure)["seeds"] == STRIDE + 5
    assert len(calls) == 3
    fewer = Subject(subject.loaded, SOLUTIONS[1:], subject.data)
    assert extended(tmp_path, fewer, 1, False, measure)["runs"] == 2
    assert extended(tmp_path, fewer, 1, True, measure)["failed"] == [{"seed": FIRST_SEED}]


def test_the_table_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "verify": {"solutions": 4, "verified": 3, "errors": ["x: y"], "identical": True},
        "mutation": {"score": 0.5, "strict": 0.4, "counts": {"killed": 5, "survived": 5, "not_run": 7}},
        "false_fail": {"failed": [{}], "runs": 100, "at_most": 0.0466},
    }
    validity.show({"tiny": row}, 100)
    said = capsys.readouterr().out
    for words in (
        "3/4",
        "1 ✗",
        "50.0% of 10",
        "40.0%",
        "1 of 100 (≤ 4.7%)",
        "identical",
        "below the gate of 95%: tiny",
    ):
        assert words in said


def test_a_spec_none_of_whose_mutants_was_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "verify": {"solutions": 4, "verified": 4, "errors": [], "identical": True},
        "mutation": {"score": None, "strict": None, "counts": {"not_run": 7}},
        "false_fail": {"failed": [], "runs": 100, "at_most": 0.0295},
    }
    validity.show({"tiny": row}, 100)
    said = capsys.readouterr().out
    for words in ("none run", "below the gate of 95%: tiny", "not all mutants were run"):
        assert words in said
