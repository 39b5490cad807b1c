"""What a short spec leaves out is filled in; what it gets wrong is answered with its place and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import SpecError
from autograder.specs.loader import load_all, load_spec

SHORT = """\
id: short
title: As short as a useful spec can be
entry_points:
  model: {kind: model, names: [Net]}
observations:
  public: {probe: forward, inputs: images, repeat: 2, also_single: true}
checks:
  - {type: entry_points}
  - {type: output_shape, params: {shape: [N, 3]}}
  - {type: finite, points: 2}
  - {type: accuracy, params: {targets: labels, min: 0.9}}
"""
BUILDER = """\
import numpy as np
from autograder.specs.dataset import DataSet
from .reference import labels_of

def build(name, data_dir, seed):
    images = np.zeros((4, 3))
    return DataSet(name, {"images": images, "labels": labels_of(images)}, judge_only=frozenset({"labels"}))
"""
REFERENCE = "import numpy as np\n\n\ndef labels_of(images):\n    return np.zeros(len(images))\n"
OWN_CHECK = '''\
from autograder.checks.base import Check, Params, failed, passed


class Zero(Check):
    """All outputs are zero."""

    kind = "zero"
    title = "Zero"
    probes = frozenset({"forward"})
    Params = Params

    def judge(self, observation, context, params):
        return passed("zero") if observation.values.get("outputs") else failed("nothing")
'''
TRAINING = """\
observations:
  public: {probe: forward, inputs: images}
  training: {probe: train, inputs: images, targets: images, evaluate: {test: images}}
"""


def write(tmp_path: Path, text: str = SHORT, **files: str) -> Path:
    folder = tmp_path / "short"
    folder.mkdir(exist_ok=True)
    for name, content in {"data": BUILDER, "reference": REFERENCE, **files}.items():
        (folder / f"{name}.py").write_text(content)
    (folder / "spec.yaml").write_text(text)
    return folder


def changed(old: str, new: str, text: str = SHORT) -> str:
    assert old in text
    return text.replace(old, new)


def test_what_is_left_out_is_filled_in(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path))
    assert loaded.spec.points == 5
    assert [(c.spec.id, c.spec.observe, c.stage) for c in loaded.checks] == [
        ("entry_points", "names", "Checks"),
        ("output_shape", "public", "Checks"),
        ("finite", "public", "Checks"),
        ("accuracy", "public", "Checks"),
    ]
    assert loaded.spec.observations["names"].probe == "resolve"
    assert loaded.build_data(None, 0).name == "standin"


def test_time_and_memory_are_feedback_unless_the_spec_says_points(tmp_path: Path) -> None:
    usage = changed(
        "checks:\n", "  used: {probe: usage, of: public}\nchecks:\n  - {type: resources, params: {max_cpu_s: 9}}\n"
    )
    loaded = load_spec(write(tmp_path, usage))
    assert (loaded.checks[0].spec.points, loaded.spec.points) == (0, 5)
    loaded = load_spec(write(tmp_path, changed("resources,", "resources, points: 1,", usage)))
    assert (loaded.checks[0].spec.points, loaded.spec.points) == (1, 6)


def test_a_spec_without_data_file_needs_no_data(tmp_path: Path) -> None:
    text = changed("  - {type: output_shape, params: {shape: [N, 3]}}\n  - {type: finite, points: 2}\n", "")
    text = changed("  - {type: accuracy, params: {targets: labels, min: 0.9}}\n", "", text)
    text = changed(
        "observations:\n  public: {probe: forward, inputs: images, repeat: 2, also_single: true}\n", "", text
    )
    folder = write(tmp_path, text)
    (folder / "data.py").unlink()
    loaded = load_spec(folder)
    assert loaded.spec.data is None
    assert loaded.build_data(None, 0).name == "none"


MISTAKES = [
    ("{type: finite, points: 2}", "{type: finite, points: 2}\n  - {type: finite}", "11:5", "Give each check its own"),
    ("type: finite", "type: finit", "10:12", "Did you mean 'finite'?"),
    ("probe: forward", "probe: foward", "6:19", "Did you mean 'forward'?"),
    ("{probe: forward, inputs", "{inputs", "6:11", "Add one of: "),
    ("inputs: images, repeat", "input: images, repeat", "6:28", "Did you mean 'inputs'?"),
    ("inputs: images", "inputs: imags", "6:36", "Did you mean 'images'?"),
    ("targets: labels", "targets: label", "11:40", "Did you mean 'labels'?"),
    ("targets: labels, min", "target: labels, min", "11:31", "Did you mean 'targets'?"),
    ("kind: model", "kind: modle", "4:17", "Did you mean 'model'?"),
    ("{type: finite, points: 2}", "{type: finite, visibility: hiden}", "10:32", "Did you mean 'hidden'?"),
    ("id: short\n", "id: short\nlane: gpuu\n", "2:7", "Did you mean 'gpu'?"),
    ("id: short\n", "id: short\nlimits: {wal_s: 3}\n", "2:10", "Did you mean 'wall_s'?"),
    ("checks:\n", "stages: []\nstages_: []\nchecks:\n", "8:1", "Did you mean 'stages'?"),
    ("points: 2}", "points: two}", "10:28", "It says: 'two'"),
    ("{type: entry_points}", "{type: layers}\n  - {type: gradient_flow}", "9:5", "gradient_norms"),
    ("{type: entry_points}", "{type: entry_points, observe: nams}", "8:35", "Did you mean 'names'?"),
    ("  public:", "  names: {probe: resolve}\n  twice: {probe: forward, inputs: images}\n  public:", "11:5",
     "Say which"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "hint"), MISTAKES, ids=lambda v: str(v)[:30])
def test_mistakes_name_the_column_and_what_was_meant(tmp_path: Path, old: str, new: str, place: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, changed(old, new))).build_data(None, 0)
    assert f"spec.yaml:{place}: " in caught.value.message
    assert hint in f"{caught.value.message} {caught.value.hint}"


def test_a_value_that_is_refused_is_told_in_our_words_alone(tmp_path: Path) -> None:
    text = SHORT.replace("checks:\n", "  steps: {probe: trace, inputs: images}\nchecks:\n")
    text += '  - {type: architecture, observe: steps, params: {pattern: "(relu"}}\n'
    with pytest.raises(SpecError, match=r"pattern: a '\(' is not closed"):
        load_spec(write(tmp_path, text))


def test_a_label_that_no_training_evaluates_is_refused(tmp_path: Path) -> None:
    text = SHORT[: SHORT.index("observations:")] + TRAINING + "checks:\n"
    text += "  - {type: accuracy, observe: training, params: {label: tset, targets: labels, min: 0.9}}\n"
    with pytest.raises(SpecError, match="evaluates nothing that is called 'tset'") as caught:
        load_spec(write(tmp_path, text))
    assert caught.value.hint == "Did you mean 'test'?"


def test_stages_and_a_list_of_checks_exclude_each_other(tmp_path: Path) -> None:
    both = SHORT + "stages:\n  - {name: More, checks: [{type: finite, id: again}]}\n"
    with pytest.raises(SpecError, match="both 'checks' and 'stages'"):
        load_spec(write(tmp_path, both))
    with pytest.raises(SpecError, match="there are no checks"):
        load_spec(write(tmp_path, SHORT[: SHORT.index("checks:")]))


def test_two_stages_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = SHORT[: SHORT.index("checks:")] + (
        "stages:\n  - {name: One, checks: [{type: finite}]}\n  - {name: One, checks: [{type: entry_points}]}\n"
    )
    with pytest.raises(SpecError, match=r"spec.yaml:9:12: two stages are called 'One'"):
        load_spec(write(tmp_path, twice))


def test_a_spec_in_which_nothing_counts_is_refused(tmp_path: Path) -> None:
    text = SHORT[: SHORT.index("checks:")] + "checks:\n  - {type: finite, points: 0}\n"
    with pytest.raises(SpecError, match="no check carries points"):
        load_spec(write(tmp_path, text))


def test_a_spec_may_bring_its_own_check_type(tmp_path: Path) -> None:
    loaded = load_spec(write(tmp_path, changed("type: finite", "type: zero"), checks=OWN_CHECK))
    assert loaded.checks[2].title == "Zero"
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, changed("type: finite", "type: zeroo"), checks=OWN_CHECK))
    assert caught.value.hint == "Did you mean 'zero'?"


def test_an_own_check_type_may_not_take_a_name_that_is_in_use(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"checks.py: there is a check type 'finite' already"):
        load_spec(write(tmp_path, checks=OWN_CHECK.replace('"zero"', '"finite"')))


def test_trusted_python_that_breaks_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"checks.py:2: ZeroDivisionError"):
        load_spec(write(tmp_path, checks="x = 1\nx / 0\n"))
    (tmp_path / "short/checks.py").unlink()
    with pytest.raises(SpecError, match=r"data.py:3: ModuleNotFoundError"):
        load_spec(write(tmp_path, data=BUILDER.replace(".reference", ".refrence"))).build_data(None, 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    return",
            "    1 / 0\n    return",
            r"data.py:\d+: build\('standin'\) raised ZeroDivisionError: division by",
        ),
        ("return DataSet", "return 3, DataSet", r"data.py: build\('standin'\) returned a tuple, no DataSet"),
    ],
)
def test_a_builder_that_breaks_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    loaded = load_spec(write(tmp_path, data=changed(old, new, BUILDER)))
    with pytest.raises(SpecError, match=said) as caught:
        loaded.build_data(None, 0)
    assert "None" in caught.value.hint


def test_a_full_disk_is_no_mistake_of_the_builder(tmp_path: Path) -> None:
    def build_after(code: str) -> None:
        load_spec(write(tmp_path, data=changed("    return", f"    {code}\n    return", BUILDER))).build_data(None, 0)

    with pytest.raises(OSError, match="full"):  # the worker tries again later; a SpecError would be final
        build_after("raise OSError(28, 'the disk is full')")
    with pytest.raises(SpecError, match="FileNotFoundError"):
        build_after("open('/nowhere/images.npz')")


@pytest.mark.parametrize(
    ("extra", "said", "hint"),
    [
        (b"summary: caf\xe9\n", r"spec.yaml:12: is not UTF-8 text \(byte 0xe9\)", "Save the file as UTF-8"),
        (b"summary: a\0b\n", r"spec.yaml:12: not valid YAML: it holds the character U\+0000", "Take it out"),
        (b"summary: &all [1, *all]\n", r"spec.yaml:12:10: an alias stands inside what it names", "Write the value out"),
        (b"? [a, b]\n: 1\n", r"spec.yaml:12:3: a list or mapping stands as a key", "Use a name"),
        (b"summary: 2024-13-01\n", r"spec.yaml: not valid YAML: month must be", "Put quotes around"),
        (
            b"summary: " + b"[" * 2000 + b"]" * 2000 + b"\n",
            r"spec.yaml: not valid YAML: maximum recursion",
            "nest less",
        ),
    ],
)
def test_text_that_is_no_yaml_is_told_with_its_place(tmp_path: Path, extra: bytes, said: str, hint: str) -> None:
    folder = write(tmp_path)
    (folder / "spec.yaml").write_bytes(SHORT.encode() + extra)
    with pytest.raises(SpecError, match=said) as caught:
        load_all(tmp_path)
    assert hint in caught.value.hint


def test_the_digest_covers_every_file_but_the_handout(tmp_path: Path) -> None:
    first = load_spec(write(tmp_path)).digest
    folder = write(tmp_path, reference=REFERENCE + "# changed\n")
    second = load_spec(folder).digest
    (folder / "words.json").write_text("[]")
    third = load_spec(folder).digest
    assert len({first, second, third}) == 3
    (folder / "README.md").write_text("# Handout\n")
    (folder / "starter").mkdir()
    (folder / "starter/submission.py").write_text("x = 1\n")
    assert load_spec(folder).digest == third


def test_a_changed_sibling_is_read_anew(tmp_path: Path) -> None:
    assert load_spec(write(tmp_path)).build_data(None, 0).arrays["labels"].max() == 0
    folder = write(tmp_path, reference=REFERENCE.replace("np.zeros", "np.ones"))
    assert load_spec(folder).build_data(None, 0).arrays["labels"].max() == 1


def test_a_check_that_is_not_shown_may_not_decide_what_is_run(tmp_path: Path) -> None:
    text = SHORT[: SHORT.index("checks:")] + (
        "stages:\n"
        "  - {name: One, stop_on_failure: true, checks: [{type: finite, visibility: hidden}]}\n"
        "  - {name: Two, checks: [{type: entry_points}]}\n"
    )
    with pytest.raises(SpecError, match=r"spec.yaml:8:64: students would see whether 'finite' passed"):
        load_spec(write(tmp_path, text))
    load_spec(write(tmp_path, text.replace("stop_on_failure: true", "stop_on_failure: false")))


def test_a_check_without_points_may_not_decide_what_is_run(tmp_path: Path) -> None:
    text = SHORT[: SHORT.index("checks:")] + (
        "stages:\n"
        "  - {name: One, stop_on_failure: true, checks: [{type: finite, points: 0}]}\n"
        "  - {name: Two, checks: [{type: entry_points}]}\n"
    )
    with pytest.raises(SpecError, match=r"spec.yaml:8:64: 'finite' has no points, but would stop all") as refused:
        load_spec(write(tmp_path, text))
    assert "move it into a stage that doesn't stop" in refused.value.hint
    load_spec(write(tmp_path, text.replace("points: 0", "points: 0.1")))
    load_spec(write(tmp_path, text.replace("stop_on_failure: true", "stop_on_failure: false")))
    one, two = text.splitlines(keepends=True)[-2:]
    load_spec(write(tmp_path, text.replace(one + two, two + one)))  # it is the last: nothing is left to stop


def test_feedback_that_has_no_points_by_itself_may_not_decide_what_is_run(tmp_path: Path) -> None:
    text = SHORT[: SHORT.index("checks:")] + (
        "  used: {probe: usage, of: public}\n"
        "stages:\n"
        "  - {name: One, stop_on_failure: true, checks: [{type: resources}]}\n"
        "  - {name: Two, checks: [{type: entry_points}]}\n"
    )
    with pytest.raises(SpecError, match=r"spec.yaml:9:49: 'resources' has no points"):
        load_spec(write(tmp_path, text))
