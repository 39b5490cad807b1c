"""Grader specs: every mistake an author can make is answered with file, line and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from autograder.errors import SpecError
from autograder.specs.dataset import DataSet
from autograder.specs.loader import load_all, load_spec
from autograder.specs.solutions import find_solutions

GOOD = """\
id: tiny
title: A tiny spec
points: 3
entry_points:
  model: {kind: model, names: [CNN]}
data: {sets: [standin]}
observations:
  names: {probe: resolve}
  forward: {probe: forward, inputs: images, repeat: 2, also_single: true}
stages:
  - name: names
    stop_on_failure: true
    checks:
      - {id: names, type: entry_points, observe: names, points: 1}
  - name: shapes
    checks:
      - id: shape
        type: output_shape
        observe: forward
        points: 2
        params: {shape: [N, 10]}
        by_data:
          standin: {shape: [N, 3]}
"""
BUILDER = """\
import numpy as np
from autograder.specs.dataset import DataSet

def build(name, data_dir, seed):
    if name != "standin":
        return None
    return DataSet(name, {"images": np.zeros((4, 3)), "labels": np.zeros(4)}, judge_only=frozenset({"labels"}))
"""


def write(tmp_path: Path, text: str = GOOD, builder: str = BUILDER) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir(exist_ok=True)
    (folder / "spec.yaml").write_text(text)
    (folder / "data.py").write_text(builder)
    return folder


def test_a_good_spec_loads_with_parameters_for_each_data_set(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path))
    assert [c.spec.id for c in loaded.checks] == ["names", "shape"]
    assert loaded.checks[1].params.model_dump()["shape"] == ("N", 10)
    assert loaded.checks[1].params_for("standin").model_dump()["shape"] == ("N", 3)
    data = loaded.build_data(None, 0)
    assert isinstance(data, DataSet)
    assert set(load_all(tmp_path)) == {"tiny"}


MISTAKES = [
    ("title: A tiny spec", "titel: A tiny spec", 2, "Did you mean 'title'?"),
    ("points: 3\n", "points: 4\n", 3, "Change points to 3"),
    ("type: output_shape", "type: output_shap", 18, "Did you mean 'output_shape'?"),
    ("observe: forward", "observe: forwards", 19, "Did you mean 'forward'?"),
    ("params: {shape: [N, 10]}", "params: {shap: [N, 10]}", 21, "Did you mean 'shape'?"),
    ("params: {shape: [N, 10]}", "params: {shape: [M, 10]}", 21, "It says: 'M'"),
    ("probe: resolve", "probe: resolv", 8, "resolve"),
    ("entry_points, observe: names", "entry_points, observe: forward", 14, "It judges: resolve."),
    ("id: shape\n", "id: names\n", 17, "Give each check its own id."),
    ("id: tiny", "id: tinny", 1, "Give both the same name."),
    ("          standin:", "          standing:", 23, "Did you mean 'standin'?"),
    ("inputs: images", "inputs: images, entry: modell", 9, "Did you mean 'model'?"),
    ("title: A tiny spec", "title: A tiny spec\ntitle: again", 3, "Keep one of them."),
    ("title: A tiny spec", "title: [unclosed", 3, "Check indentation"),
    ("title: A tiny spec\n", "", 1, "Add it"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "hint"), MISTAKES)
def test_mistakes_name_the_line_and_what_to_do(tmp_path: Path, old: str, new: str, line: int, hint: str) -> None:
    assert old in GOOD
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, GOOD.replace(old, new)))
    assert re.search(rf"spec\.yaml:{line}:\d+: ", caught.value.message)
    assert hint in f"{caught.value.message} {caught.value.hint}"


def test_a_spec_that_would_send_labels_is_refused(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path, GOOD.replace("inputs: images", "inputs: labels")))
    with pytest.raises(SpecError, match="for the judge only"):
        loaded.build_data(None, 0)


def test_an_array_that_is_not_there_is_refused(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path, GOOD.replace("inputs: images", "inputs: image")))
    with pytest.raises(SpecError) as caught:
        loaded.build_data(None, 0)
    assert "Did you mean 'images'?" in caught.value.hint


def test_a_missing_spec_suggests_a_near_one(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "tyny")
    assert "Did you mean 'tiny'?" in caught.value.hint


def test_a_data_set_nobody_can_build_is_an_error(tmp_path: Path) -> None:
    builder = "def build(name, data_dir, seed):\n    return None\n"
    with pytest.raises(SpecError, match="could not build any of: standin"):
        load_spec(write(tmp_path, builder=builder)).build_data(None, 0)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    first = load_spec(write(tmp_path)).digest
    assert load_spec(write(tmp_path)).digest == first
    assert load_spec(write(tmp_path, builder=BUILDER + "# changed\n")).digest != first


def test_the_digest_of_data_follows_dtype_shape_and_values() -> None:
    base = DataSet("d", {"a": np.zeros((2, 3))})
    others = [np.zeros((3, 2)), np.ones((2, 3)), np.zeros((2, 3), dtype=np.float32)]
    assert len({base.digest, *(DataSet("d", {"a": other}).digest for other in others)}) == 4


def test_solutions_come_with_the_verdict_of_their_folder(tmp_path: Path) -> None:
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted/right.py").write_text("x = 1\n")
    bug = tmp_path / "wrong_answer/bug"
    bug.mkdir(parents=True)
    (bug / "submission.py").write_text("x = 2\n")
    (bug / "helper.py").write_text("y = 2\n")
    (bug / "expect.yaml").write_text("fails: [shape]\nscore: {max: 5}\n")
    right, wrong = find_solutions(tmp_path)
    assert (right.name, right.accepted, right.verdict.value) == ("accepted/right", True, "passed")
    assert (wrong.filename, wrong.verdict.value, wrong.expect.fails) == ("bug.zip", "failed", ("shape",))
    (bug / "expect.yaml").write_text("# nothing\n")
    assert find_solutions(tmp_path)[1].expect.fails == ()


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("fail: [shape]", "1:1: unknown key 'fail' in expect.yaml", "Did you mean 'fails'?"),
        ("score: {mn: 3}", "1:9: unknown key 'mn' in score", "Did you mean 'min'?"),
        ("verdict: fails", "1:10: verdict: 'fails' is not known", "Did you mean 'failed'?"),
        ("fails:", "1:7: fails: must be a list, such as [a, b]", "Write a value, or take the key out."),
        ("fails: shape", "1:8: fails: must be a list, such as [a, b]", "It says: 'shape'"),
        ("says: [1]", "1:8: says.0: must be text; put quotes around a number that is meant as text", "It says: 1"),
        ("score: {min: x}", "1:14: score.min: must be a number", "It says: 'x'"),
        ("- fails", "1:1: the file: must be keys with values, such as `key: 3`", "It says: ['fails']"),
        ("[]", "1:1: the file: must be keys with values, such as `key: 3`", "It says: []"),
    ],
)
def test_a_wrong_expectation_is_told_in_plain_words(tmp_path: Path, text: str, said: str, hint: str) -> None:
    (tmp_path / "wrong_answer").mkdir()
    (tmp_path / "wrong_answer/bug.py").write_text("x = 1\n")
    path = tmp_path / "wrong_answer/bug.expect.yaml"
    path.write_text(text + "\n")
    with pytest.raises(SpecError) as caught:
        find_solutions(tmp_path)
    assert caught.value.message == f"{path}:{said}".replace("in expect.yaml", f"in {path.name}")
    assert caught.value.hint == hint


def test_a_folder_that_is_no_verdict_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acepted").mkdir()
    with pytest.raises(SpecError, match="no verdict"):
        find_solutions(tmp_path)
