"""Cases, references and compared observations: what doesn't fit is named with its place and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import pipeline
from autograder.errors import SpecError
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.loader import load_spec
from tests.fakes import FakeSandbox

SPEC = """\
id: compared
title: A spec that compares observations
entry_points:
  model: {kind: model, names: [Net], arguments: {vectors: {array: images}}}
  f: {kind: function, names: [f], parameters: {a: [], b: []}}
observations:
  public: {probe: forward, inputs: images}
  other: {probe: overfit, inputs: images, targets: images}
  calls: {probe: calls, entry: f, cases: sums}
  used: {probe: usage, of: other}
checks:
  - {id: first, type: finite, observe: public}
  - {id: same, type: same, observe: public, also: {other: other}}
  - {id: used, type: told, observe: used}
"""
CHECKS = '''\
from autograder.checks.base import Check, Params, failed, passed


class Same(Check):
    """Two observations are there."""

    kind = "same"
    title = "Same"
    probes = frozenset({"forward"})
    also_roles = {"other": frozenset({"overfit"})}
    Params = Params

    def judge(self, observation, context, params):
        told = context.also["other"].probe, context.data_name, context.facts["answer"], len(context.cases["sums"])
        return passed("both") if told == ("overfit", "standin", 42, 2) else failed(str(told))


class Told(Check):
    """Seconds were told."""

    kind = "told"
    title = "Told"
    probes = frozenset({"usage"})
    Params = Params

    def judge(self, observation, context, params):
        return passed("told") if observation.values["seconds"] is not None else failed("nothing")
'''
BUILDER = """\
import numpy as np
from autograder.specs.dataset import Case, DataSet, Ref

def build(name, data_dir, seed):
    images = np.zeros((4, 3), np.float32)
    cases = (Case((1, 2), expected=3), Case((Ref("array", "images"), Ref("entry", "f")), raises=("TypeError",)))
    return DataSet(
        name, {"images": images, "labels": np.zeros(4)}, judge_only=frozenset({"labels"}), hidden=frozenset({"sums"}),
        cases={"sums": cases}, files={"model/config.json": b"{}"}, facts={"answer": 42},
    )
"""


def write(tmp_path: Path, text: str = SPEC, builder: str = BUILDER) -> Path:
    folder = tmp_path / "compared"
    folder.mkdir(exist_ok=True)
    (folder / "spec.yaml").write_text(text)
    (folder / "data.py").write_text(builder)
    (folder / "checks.py").write_text(CHECKS)
    return folder


def grade(tmp_path: Path, text: str = SPEC, script: str = "") -> GradeReport:
    return pipeline.grade(
        load_spec(write(tmp_path, text)), unpack("a.py", f"{script}\nx = 1\n".encode()), FakeSandbox()
    )


def test_a_check_gets_the_other_observations_and_all_that_the_judge_knows(tmp_path: Path) -> None:
    report = grade(tmp_path)
    assert {c.id: (c.verdict, c.message) for c in report.checks}["same"] == (Verdict.PASSED, "both")
    assert report.verdict is Verdict.PASSED


def test_a_failed_observation_is_blamed_once_also_where_it_is_compared(tmp_path: Path) -> None:
    checks = {c.id: c for c in grade(tmp_path, script="# fake overfit raise too bad").checks}
    assert checks["first"].verdict is Verdict.PASSED
    assert checks["same"].verdict is Verdict.CRASHED  # no check judges it alone, so this one says why
    assert "too bad" in checks["same"].message
    assert checks["used"].verdict is Verdict.SKIPPED
    checks = {c.id: c for c in grade(tmp_path, script="# fake forward raise too bad").checks}
    assert (checks["first"].verdict, checks["same"].verdict) == (Verdict.CRASHED, Verdict.SKIPPED)


MISTAKES = [
    ("also: {other: other}", "also: {othr: other}", "Did you mean 'other'?"),
    ("also: {other: other}", "also: {other: othr}", "Did you mean 'other'?"),
    ("also: {other: other}", "also: {other: public}", "It takes: overfit."),
    (", also: {other: other}", "", "Add 'also: {other: NAME}'"),
    (
        "inputs: images, targets: images}",
        "inputs: images, targets: images, by_data: {standn: {steps: 9}}}",
        "Did you mean 'standin'?",
    ),
    ("of: other}", "of: othr}", "Did you mean 'other'?"),
    ("of: other}", "of: used}", "Known here: "),
    ("entry: f, cases", "entry: g, cases", "Known here: f, model."),
]
DATA_MISTAKES = [
    (SPEC, "cases: sums", "cases: sum", "has no case list 'sum'", "Did you mean 'sums'?"),
    (SPEC, "{array: images}", "{array: labels}", "for the judge only", "Take it out"),
    (SPEC, "{array: images}", "{array: image}", "has no array 'image'", "Did you mean 'images'?"),
    (BUILDER, 'Ref("array", "images")', 'Ref("array", "labels")', "case 2 of 'sums' would send 'labels'", "Take it"),
    (BUILDER, 'Ref("array", "images")', 'Ref("array", "image")', "'image'", "Did you mean 'images'?"),
    (BUILDER, 'Ref("array", "images")', 'Ref("model", "mode")', "'mode'", "Did you mean 'model'?"),
    (BUILDER, 'Ref("entry", "f")', 'Ref("entry", "g")', "names no entry point", "Known here: f, model."),
    (BUILDER, 'Ref("entry", "f")', 'Ref("built", "f", function="g")', "names no entry point", "Known here: f, model."),
    (BUILDER, 'Ref("entry", "f")', 'Ref("built", "model", inputs="labels")', "would send 'labels'", "Take it"),
    (BUILDER, 'Ref("entry", "f")', 'Ref("entri", "f")', "can't make a 'entri'", "It makes: array"),
    (BUILDER, 'frozenset({"sums"})', 'frozenset({"sum"})', "lists 'sum' as hidden", "Did you mean 'sums'?"),
    (BUILDER, 'cases={"sums"', 'cases={"images": (), "sums"', "both an array and a case list", "different names"),
]  # fmt: skip


def test_an_observation_may_differ_on_a_data_set(tmp_path: Path) -> None:
    plain = "other: {probe: overfit,"
    text = SPEC.replace(plain, f"{plain} by_data: {{large: {{steps: 9, wall_s: 300}}}},")
    text += "data: {sets: [large, standin]}\n"
    loaded = load_spec(write(tmp_path, text))
    for name, steps in (("large", 9), ("standin", 60)):
        assert loaded.on(name).spec.observations["other"].steps == steps
    assert loaded.on("large").on("large").spec == loaded.on("large").spec
    with pytest.raises(SpecError, match="step"):
        load_spec(write(tmp_path, text.replace("{steps: 9", "{step: 9")))


def test_a_tokenizer_may_come_from_a_folder_of_this_machine(tmp_path: Path) -> None:
    wanted = 'Ref("tokenizer", "bert"))'
    text = BUILDER.replace('Ref("entry", "f"))', wanted)
    with pytest.raises(SpecError, match="bert"):
        load_spec(write(tmp_path, builder=text)).build_data(None, 0)
    text = text.replace("files={", f'folders={{"bert": __import__("pathlib").Path({str(tmp_path)!r})}}, files={{')
    assert "bert" in load_spec(write(tmp_path, builder=text)).build_data(None, 0).folders


@pytest.mark.parametrize(("old", "new", "hint"), MISTAKES)
def test_mistakes_of_the_spec_name_the_line_and_what_was_meant(tmp_path: Path, old: str, new: str, hint: str) -> None:
    assert old in SPEC
    line = next(n for n, text in enumerate(SPEC.split("\n"), start=1) if old in text)
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, SPEC.replace(old, new)))
    assert f"spec.yaml:{line}:" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(("text", "old", "new", "says", "hint"), DATA_MISTAKES)
def test_what_the_data_set_lacks_or_must_not_send_is_refused(
    tmp_path: Path, text: str, old: str, new: str, says: str, hint: str
) -> None:
    assert old in text
    changed = text.replace(old, new)
    folder = write(tmp_path, changed) if text is SPEC else write(tmp_path, builder=changed)
    with pytest.raises(SpecError) as caught:
        load_spec(folder).build_data(None, 0)
    assert says in caught.value.message
    assert hint in caught.value.hint


NAMED = """\
id: compared
title: Checks that name lists, groups and facts
entry_points:
  f: {kind: function, names: [f], parameters: {a: [], b: []}}
observations:
  calls: {probe: calls, entry: f, cases: sums}
  one: {probe: call, entry: f, arguments: [1, 2]}
checks:
  - {type: allclose, observe: calls, params: {cases: sums, only: [small, large]}}
  - {type: ranking, observe: one, params: {expected: best}}
"""
LISTS = """\
from autograder.specs.dataset import Case, DataSet

def build(name, data_dir, seed):
    cases = (Case((1, 2), expected=3, group="small"), Case((10, 20), expected=30, group="large"))
    return DataSet(name, cases={"sums": cases}, facts={"best": ["a", "b"]})
"""


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        ("cases: sums, only", "cases: sum, only", "9:54: data set 'standin' has no case list 'sum'", "mean 'sums'?"),
        ("large]", "larg]", "9:74: no case of 'sums' is of a group 'larg'", "Did you mean 'large'?"),
        ("only: [small, large]", "hints: {larg: Look.}", "9:74: no case of 'sums'", "Did you mean 'large'?"),
        ("cases: sums, only: [small, large]", "only: [smal]", "9:54: no case of 'sums'", "mean 'small'?"),
        ("expected: best", "expected: bets", "10:54: data set 'standin' has no fact 'bets'", "mean 'best'?"),
    ],
)  # fmt: skip
def test_what_checks_name_must_be_in_the_data(tmp_path: Path, old: str, new: str, says: str, hint: str) -> None:
    load_spec(write(tmp_path, NAMED, LISTS)).build_data(None, 0)
    assert old in NAMED
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, NAMED.replace(old, new), LISTS)).build_data(None, 0)
    assert f"spec.yaml:{says}" in caught.value.message
    assert hint in caught.value.hint


def test_the_inputs_of_a_validation_need_targets(tmp_path: Path) -> None:
    train = "  other: {probe: train, inputs: images, targets: images, validation_inputs: images}\n"
    text = SPEC.replace("  other: {probe: overfit, inputs: images, targets: images}\n", train)
    with pytest.raises(SpecError, match=r"spec.yaml:8:10: .*give both, or none"):
        load_spec(write(tmp_path, text))


def test_the_digest_follows_cases_files_and_facts() -> None:
    others = [
        DataSet("d"),
        DataSet("d", cases={"a": (Case((1, 2)),)}),
        DataSet("d", cases={"a": (Case((1,)), Case((2,)))}),
        DataSet("d", cases={"a": (Case((1, 2), expected=3),)}),
        DataSet("d", cases={"a": (Case((Ref("array", "x"), 2)),)}),
        DataSet("d", cases={"a": (Case((1, 2)),)}, hidden=frozenset({"a"})),
        DataSet("d", files={"a": b"1"}),
        DataSet("d", files={"b": b"1"}),
        DataSet("d", facts={"a": [1, {"b": 2.5}]}),
        DataSet("d", facts={"a": [1, {"b": 2.0}]}),
    ]
    digests = [data.digest for data in others]
    assert len(set(digests)) == len(digests)
    assert DataSet("d", facts={"a": [1, {"b": 2.0}]}).digest == digests[-1]
