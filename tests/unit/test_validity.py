"""`bin/bench validity` keeps what it measured and measures again only what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.loader import load_spec
from autograder.specs.schema import Calls
from autograder.specs.solutions import find_solutions
from benchmarks import validity
from benchmarks.validity import FIRST_SEED, STRIDE, Asked, Subject, extended, kept, without_training
from tests.conftest import ROOT, SPECS

SOLUTIONS = find_solutions(ROOT / "tests/fixtures/solutions/tiny-training")


def test_a_part_is_measured_once_for_each_state_of_a_spec(tmp_path: Path) -> None:
    calls: list[str] = []

    def measure() -> dict[str, Any]:
        calls.append("once more")
        return {"runs": len(calls)}

    def runs(subject: Subject, budget: float, again: bool = False) -> int:
        return int(kept(Asked(0, budget, again, tmp_path), subject, "mutation", budget, measure)["runs"])

    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    assert [runs(subject, 50), runs(subject, 50), runs(subject, 50, again=True)] == [1, 1, 2]
    assert runs(subject, 60) == 3
    assert runs(subject, 50) == 3  # the larger sample is as good
    fewer = Subject(subject.loaded, SOLUTIONS[1:], subject.data)
    assert runs(fewer, 60) == 4


def test_more_seeds_are_added_to_those_that_are_kept(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def measure(first: int, count: int) -> dict[str, Any]:
        calls.append((first, count))
        return {"runs": 2 * count, "failed": [{"seed": first}]}

    def found(subject: Subject, seeds: int, again: bool = False) -> dict[str, Any]:
        return extended(Asked(seeds, 0, again, tmp_path), subject, measure)

    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    assert found(subject, STRIDE + 2)["runs"] == 2 * STRIDE + 4
    assert calls == [(FIRST_SEED, STRIDE), (FIRST_SEED + STRIDE, 2)]
    assert len(found(subject, STRIDE + 5)["failed"]) == 3
    assert calls[2:] == [(FIRST_SEED + STRIDE + 2, 3)]
    assert found(subject, STRIDE)["seeds"] == STRIDE + 5
    assert len(calls) == 3
    fewer = Subject(subject.loaded, SOLUTIONS[1:], subject.data)
    assert found(fewer, 1)["runs"] == 2
    assert found(fewer, 1, again=True)["failed"] == [{"seed": FIRST_SEED}]


def test_seeds_say_which_grader_they_were_run_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    for code, seeds in (("a", 3), ("b", 5), ("b", 6)):
        monkeypatch.setattr("autograder.installed.grader_code", lambda code=code: code)
        found = extended(Asked(seeds, 0, False, tmp_path), subject, lambda _, count: {"runs": count, "failed": []})
    assert found["graders"] == {"a": 3, "b": 3}


def test_right_work_can_be_judged_without_its_training() -> None:
    loaded = load_spec(SPECS / "tiny-training")
    left = without_training(Subject(loaded, SOLUTIONS, loaded.build_data(None, 0))).loaded.checks
    gone = {c.spec.id for c in loaded.checks} - {c.spec.id for c in left}
    assert left
    assert gone == {c.spec.id for c in loaded.checks if loaded.spec.observations[c.spec.observe].probe == "train"}
    home = load_spec(ROOT / "grader_specs/ccds-bert-emotion")
    trained = Case((Ref("built", "model", function="fine_tune", inputs="x", targets="y"), ["a text"]))
    cases = {o.cases: () for o in home.spec.observations.values() if isinstance(o, Calls)} | {"texts": (trained,)}
    subject = Subject(home, [], DataSet("standin", cases=cases))
    observed = {check.spec.observe for check in without_training(subject).loaded.checks}
    assert {"moved_little", "vectors_public"} <= observed
    assert not observed & {"training", "classes"}


def test_what_was_judged_without_training_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    subject = Subject(load_spec(SPECS / "tiny-training"), SOLUTIONS, DataSet("standin"))
    failed = [{"solution": "accepted/reference", "seed": 7, "checks": ["shape"]}]
    asked = Asked(3, 0, False, tmp_path, untrained=True)
    found = extended(asked, subject, lambda _, count: {"runs": 2 * count, "failed": failed})
    validity.show_untrained({"tiny": found})
    said = capsys.readouterr().out
    assert "1 of 6" in said
    assert "accepted/reference, seed 7: shape" in said
    assert extended(Asked(1, 0, False, tmp_path), subject, lambda _, count: {"runs": count, "failed": []})["runs"] == 1


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
