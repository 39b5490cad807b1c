"""The gate before students: who passes it, and what those are told who don't."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograder.errors import SpecError
from autograder.proof import record
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import find_solutions
from tests.proof.conftest import SOLUTIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Solutions of the tiny spec, to be changed."""
    return Path(shutil.copytree(SOLUTIONS / "tiny-training", tmp_path / "tiny-training"))


def refused(tiny: LoadedSpec, folder: Path) -> str:
    with pytest.raises(SpecError) as caught:
        record.need(tiny, find_solutions(folder), folder)
    assert "bin/autograder spec mutate tiny-training" in caught.value.hint
    return caught.value.message


def recorded(tiny: LoadedSpec, folder: Path, counts: Mapping[str, int]) -> None:
    assert record.write(tiny, find_solutions(folder), folder, counts) == folder / record.FILE


def test_a_spec_passes_as_long_as_nothing_changes(tiny: LoadedSpec, folder: Path) -> None:
    assert "nothing shows" in refused(tiny, folder)
    recorded(tiny, folder, {"killed": 19, "survived": 1, "not_run": 80})
    record.need(tiny, find_solutions(folder), folder)
    right = next(path for path in (folder / "accepted").rglob("*.py"))
    right.write_text(right.read_text() + "\n# changed\n")
    assert "changed since" in refused(tiny, folder)


def test_a_new_wrong_solution_changes_nothing_about_it_and_a_new_excuse_does(tiny: LoadedSpec, folder: Path) -> None:
    recorded(tiny, folder, {"killed": 20})
    (folder / "wrong_answer" / "one_more").mkdir(parents=True)
    (folder / "wrong_answer" / "one_more" / "submission.py").write_text("x = 1\n")
    record.need(tiny, find_solutions(folder), folder)
    (folder / "equivalent.yaml").write_text("- {was: a, now: b, because: it is new}\n")
    assert "changed since" in refused(tiny, folder)


def test_too_few_caught_or_too_few_judged_does_not_pass(tiny: LoadedSpec, folder: Path) -> None:
    recorded(tiny, folder, {"killed": 18, "survived": 2})
    assert "90.0%" in refused(tiny, folder)
    recorded(tiny, folder, {"killed": 19, "not_run": 1})
    assert "fewer than 20" in refused(tiny, folder)
    recorded(tiny, folder, {"killed": 19})  # there are no more of them
    record.need(tiny, find_solutions(folder), folder)


def test_a_campaign_that_judged_nothing_leaves_the_record_alone(tiny: LoadedSpec, folder: Path) -> None:
    recorded(tiny, folder, {"killed": 30})
    assert record.write(tiny, find_solutions(folder), folder, {"not_run": 30}) is None
    record.need(tiny, find_solutions(folder), folder)


@pytest.mark.parametrize("content", ["{", json.dumps({"spec": "tiny-training"})])
def test_a_broken_record_is_named(tiny: LoadedSpec, folder: Path, content: str) -> None:
    (folder / record.FILE).write_text(content)
    assert str(folder / record.FILE) in refused(tiny, folder)
