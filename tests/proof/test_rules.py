"""Each house rule fires on a spec that breaks it, and none on one that doesn't."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder import pipeline
from autograder.comparing import differences
from autograder.intake import unpack
from autograder.model import Outcome, Statistic, Trust, Verdict
from autograder.probing import Prober
from autograder.proof import kept_back, leaks
from autograder.proof.pool import Pool
from autograder.proof.rules import Graded, findings
from autograder.proof.verify import grade_solution, verify
from autograder.proof.watch import Recorder
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import Case, DataSet
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import Expectation, Solution
from tests.conftest import ROOT, SPECS
from tests.fakes import FakeSandbox


@pytest.fixture(scope="module")
def proven(tiny: LoadedSpec, solutions: dict[str, Solution], sandbox: Sandbox) -> list[Graded]:
    said: list[str] = []
    graded, found = verify(tiny, list(solutions.values()), Pool([sandbox]), data_dir=None, say=said.append)
    assert not any(g.problems for g in graded)
    assert [(f.rule, f.error) for f in found] == [("measured, not reported", False)]  # of its check of names
    assert any("training: epoch 2 of 3" in words for words in said)
    return graded


def rules(loaded: LoadedSpec, data: DataSet, graded: Sequence[Graded], again: Sequence[Graded] = ()) -> dict[str, str]:
    return {f.rule: f.message for f in findings(loaded, data, graded, again)}


def changed(one: Graded, check_id: str, **fields: object) -> Graded:
    checks = tuple(replace(c, **fields) if c.id == check_id else c for c in one.report.checks)
    return replace(one, report=replace(one.report, checks=checks))


def test_a_check_that_nothing_wrong_fails(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    without = [g for g in proven if g.solution.name != "wrong_answer/dropout_always"]
    said = rules(tiny, data, without)["a check catches something"]
    assert "'alone'" in said
    assert "Add a folder to wrong_answer/" in said
    assert "no accepted" in rules(tiny, data, without[1:])["solutions"]


def test_a_right_solution_near_a_threshold_or_limit(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    seen = Recorder(
        outcomes={"accuracy": Outcome(Verdict.PASSED, 1, "").measured(Statistic("accuracy", 0.65, 0.6, param="min"))},
        seconds={"training": 29.0},
        peak_mb=100,
    )
    found = rules(tiny, data, [replace(proven[0], seen=seen), *proven[1:]])
    assert "0.65, within 20% of the limit 0.6" in found["room to a threshold"]
    assert "observation training took 29.0 of 30 s" in found["room to a limit"]
    calibrated = replace(tiny, checks=tuple(replace(c, calibrated=frozenset({"min"})) for c in tiny.checks))
    assert "room to a threshold" not in rules(calibrated, data, [replace(proven[0], seen=seen), *proven[1:]])


def test_limits_of_observations_that_are_only_compared_with(sandbox: Sandbox) -> None:
    """Also of one that only its usage is asked of; checks say and weigh the same as unwatched ones."""
    loaded = load_spec(SPECS / "check-types")
    checks = tuple(c for c in loaded.checks if c.spec.id in ("sequence", "padding", "used", "written"))
    loaded = replace(loaded, checks=checks)
    data = loaded.build_data(None, 0)
    code = (loaded.folder / "right.py").read_bytes()
    upload = Solution("accepted/right", "submission.py", code, Verdict.PASSED, Expectation())
    one = grade_solution(loaded, upload, sandbox, data)
    plain = pipeline.grade(loaded, unpack(upload.filename, upload.data), sandbox, data=data)
    # What was used is another in every run.
    assert [text for text in differences(one.report.checks, plain.checks) if not text.startswith("used: ")] == []
    assert one.seen.seconds.keys() == {"plain", "shuffled", "padded", "behave", "usage", "source"}
    for name in ("shuffled", "behave"):
        slow = loaded.spec.observations[name].model_copy(update={"wall_s": 1.1 * one.seen.seconds[name]})
        spec = loaded.spec.model_copy(update={"observations": {**loaded.spec.observations, name: slow}})
        found = findings(replace(loaded, spec=spec), data, [one])
        (said,) = [f.message for f in found if f.rule == "room to a limit"]
        assert said.startswith(f"accepted/right: observation {name} took ")
    assert "room to a limit" not in rules(loaded, data, [one])


def test_the_cards_memory_near_its_limit(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    seen, row = Recorder(), {"seconds": 1.0, "cpu_s": 1.0, "peak_mb": 90.0}
    prober = Prober(tiny.spec, unpack("submission.py", b"1"), data, FakeSandbox(), 0)
    prober.used = {"training": {**row, "gpu_mb": 900.0}, "public": {**row, "gpu_mb": None}}
    seen.ended(prober)
    one = [replace(proven[0], seen=seen), *proven[1:]]
    limits = tiny.spec.limits.model_copy(update={"gpu_memory_mb": 1000})
    limited = replace(tiny, spec=tiny.spec.model_copy(update={"limits": limits}))
    said = rules(limited, data, one)["room to a limit"]
    assert (
        said == "accepted/reference: observation training took 900.0 of 1000 MB of the card's memory; raise the limit"
    )
    assert "room to a limit" not in rules(tiny, data, one)


def test_two_gradings_that_differ(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    again = changed(proven[0], "accuracy", message="Accuracy 0.912.")
    assert "accepted/reference: accuracy: message" in rules(tiny, data, proven, [again])["two gradings differ"]


def test_a_wrong_solution_that_answers_by_chance(
    tiny: LoadedSpec, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    """Quick solutions are graded twice too, not the first right one alone."""
    chance = "return self.out(x) + int.from_bytes(__import__('os').urandom(2), 'big')"
    code = solutions["accepted/reference"].data.replace(b"return self.out(self.drop(x))", chance.encode())
    wrong = Solution("wrong_answer/chance", "submission.py", code, Verdict.FAILED, Expectation())
    _, found = verify(tiny, [solutions["accepted/reference"], wrong], Pool([sandbox]), data_dir=None)
    differing = [f.message for f in found if f.rule == "two gradings differ"]
    assert differing
    assert all(text.startswith("wrong_answer/chance: ") for text in differing)


def test_words_that_no_check_says_are_told_with_what_was_said(
    tiny: LoadedSpec, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    wrong = replace(solutions["wrong_answer/dropout_always"], expect=Expectation(says=("cosine",)))
    one = grade_solution(tiny, wrong, sandbox, data)
    (alone,) = [c for c in one.report.checks if c.verdict is not Verdict.PASSED]
    said = f"alone: {alone.message} {alone.hint}"
    assert one.problems == (f"no failed check says “cosine”; said was: “{said}”",)
    right = replace(solutions["accepted/reference"], expect=Expectation(says=("cosine",)))
    (problem,) = grade_solution(tiny, right, sandbox, data).problems
    assert problem.endswith("said was: nothing, since no check failed")


def test_points_that_rest_on_words(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    """However few they are, in one line; none where nothing is reported, or what is carries no points."""
    rule = "measured, not reported"
    loose = changed(proven[0], "alone", trust=Trust.REPORTED)
    (found,) = [f for f in findings(tiny, data, [loose, *proven[1:]]) if f.rule == rule]
    assert not found.error
    assert "3 of 6 points" in found.message
    assert "(names, alone)" in found.message
    assert "1 of 6 points" in rules(tiny, data, proven)[rule]
    assert rule not in rules(tiny, data, [changed(proven[0], "names", max_score=0.0), *proven[1:]])


def test_a_handout_and_starter_that_are_the_templates(
    tmp_path: Path, tiny: LoadedSpec, data: DataSet, proven: list[Graded]
) -> None:
    def warned(loaded: LoadedSpec) -> list[str]:
        found = [f for f in findings(loaded, data, proven) if f.rule == "written for this task"]
        assert not any(f.error for f in found)
        return [f.message.split(" is ")[0] for f in found]

    shutil.copytree(ROOT / "grader_specs/_template", tmp_path / "_template")
    shutil.copytree(tmp_path / "_template", tmp_path / "mine")
    mine = replace(tiny, folder=tmp_path / "mine")
    assert warned(mine) == ["README.md", "starter/submission.py"]
    (tmp_path / "mine/README.md").write_text("# Another task\n")
    assert warned(mine) == ["starter/submission.py"]
    assert warned(replace(tiny, folder=tmp_path / "_template")) == []
    assert warned(tiny) == []


def test_answers_that_are_sent(tiny: LoadedSpec, data: DataSet) -> None:
    labels = data.arrays["test_labels"]
    as_column = np.column_stack([data.arrays["test_inputs"], labels]).astype(np.float32)
    leaky = replace(data, arrays={**data.arrays, "test_inputs": as_column})
    assert "'test_inputs', which is sent, holds the judge's 'test_labels'" in leaks.reachable(tiny, leaky, [])[0]
    in_file = replace(data, files={"cache.bin": b"x" + labels.tobytes()})
    assert "cache.bin" in leaks.reachable(tiny, in_file, [])[0]
    assert leaks.reachable(tiny, data, []) == []


def test_answers_in_handout_and_starter(tmp_path: Path, data: DataSet, solutions: dict[str, Solution]) -> None:
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    (tmp_path / "tiny-training/README.md").write_text("The result for the example is 0.73576.\n")
    loaded = load_spec(tmp_path / "tiny-training")
    case = Case((1.0,), expected={"value": 0.7357588})
    hidden = replace(data, cases={"calls": (case,)}, hidden=data.hidden | {"calls"})
    assert "0.735759" not in str(leaks.reachable(loaded, hidden, []))
    (tmp_path / "tiny-training/README.md").write_text("The result for the example is 0.735759.\n")
    assert "README.md holds what case 1 of 'calls' expects" in leaks.reachable(loaded, hidden, [])[0]
    right = solutions["accepted/reference"]
    assert not any("of the lines" in text for text in leaks.reachable(loaded, data, [right]))
    (tmp_path / "tiny-training/starter").mkdir()
    (tmp_path / "tiny-training/starter/submission.py").write_bytes(right.data)
    assert "100% of the lines of accepted/reference" in leaks.reachable(loaded, data, [right])[0]


def save(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)


def packed(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_labels_in_files_and_handout(tmp_path: Path, data: DataSet) -> None:
    """As text, as bytes of another kind, as NumPy saves them; labels that are public, or no secret, may be there."""
    draws = np.random.default_rng(1)
    labels, public = (draws.permutation(data.arrays[name]) for name in ("test_labels", "train_labels"))
    data = replace(data, arrays={**data.arrays, "test_labels": labels, "train_labels": public})
    as_text = "id,label\n" + "".join(f"{number},{label}\n" for number, label in enumerate(labels))
    contents = {
        "labels.csv": as_text.encode(),
        "README.md": f"Some words, 3 of 4.\n{', '.join(map(str, labels))}.\n".encode(),
        "notes.ipynb": json.dumps({"cells": [{"source": as_text}]}).encode(),
        "labels.bin": labels.astype(np.int32).tobytes(),
        "labels.u8": b"head" + labels.astype(np.uint8).tobytes(),
        "floats.bin": labels.astype(np.float32).tobytes(),
        "labels.npz": packed(some=np.concatenate([public, labels]).astype(np.uint8)),
        "column.npz": packed(table=np.column_stack([np.arange(labels.size), labels])),
    }
    fine = {
        "train.npz": packed(labels=public),
        "train.csv": ",".join(map(str, public)).encode(),
        "broken.npz": b"PK no archive",
        "few.txt": ", ".join(map(str, labels[:5])).encode(),
        "sorted.txt": ", ".join(map(str, sorted(labels))).encode(),
    }
    loaded = load_spec(SPECS / "tiny-training")
    assert leaks.reachable(loaded, replace(data, files=fine), []) == []
    for name, content in contents.items():
        (text,) = leaks.reachable(loaded, replace(data, files={name: content}), [])
        assert text == f"the file '{name}', which students' code can read, holds the judge's 'test_labels'"
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    loaded = load_spec(tmp_path / "tiny-training")
    save(loaded.folder, "README.md", contents["README.md"])
    buffer = io.BytesIO()
    np.save(buffer, labels)
    save(loaded.folder, "starter/answers.npy", buffer.getvalue())
    found = leaks.reachable(loaded, data, [])
    assert [text.partition(" holds")[0] for text in found] == ["README.md", "starter/answers.npy"]


def test_a_starter_that_is_a_short_solution(tmp_path: Path, data: DataSet) -> None:
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    loaded = load_spec(tmp_path / "tiny-training")
    code = b"def double(x):\n    return 2 * x\n"
    right = Solution("accepted/short", "submission.py", code, Verdict.PASSED, Expectation())
    cell = {"cell_type": "code", "source": "%matplotlib inline\n\ndef double(x):\n    return 2 * x"}
    noted = json.dumps({"cells": [cell]}).encode()
    save(loaded.folder, "starter/submission.py", b"def double(x):\n    raise NotImplementedError\n")
    assert leaks.reachable(loaded, data, [right]) == []
    save(loaded.folder, "starter/broken.ipynb", b"no notebook")
    save(loaded.folder, "starter/broken.py", b"caf\xe9 = (")
    save(loaded.folder, "starter/submission.py", b"# fill in\ndef double( x ):\n\n    return 2*x  # TODO\n")
    save(loaded.folder, "starter/submission.ipynb", noted)
    (text,) = leaks.reachable(loaded, data, [right])
    assert text.startswith("starter/submission.py is accepted/short, comments and spaces aside")


def test_labels_listed_in_feedback(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    labels = data.arrays["test_labels"].tolist()

    def said(message: str, **evidence: object) -> list[str]:
        one = changed(proven[0], "alone", message=message, evidence=evidence)
        return leaks.in_feedback(tiny, data, [("x", one.report)])

    told = ["alone tells x values of 'test_labels', listed in a row"]
    assert said(f"The labels are {labels}.") == told
    assert said(" ".join(f"row {i}: {label}," for i, label in enumerate(labels))) == told
    assert said("".join(map(str, labels))) == told
    assert said("see below", labels=labels) == told
    assert said("see below", labels=np.array(labels, dtype=float)) == told
    assert said("see below", table=[[f"row {i}", i, label, 0.5] for i, label in enumerate(labels)]) == told
    assert said("fine", matrix=[[50, 0, 3], [1, 49, 0], [0, 2, 45]], counts=[50, 50, 50], ids=list(range(30))) == []
    assert said(f"fine, {labels[:4]}", ones=[1] * 30, sorted=sorted(labels)) == []


def test_hidden_values_in_feedback(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    def said(message: str, **evidence: object) -> list[str]:
        one = changed(proven[0], "alone", message=message, evidence=evidence)
        return leaks.in_feedback(tiny, data, [("x", one.report)])

    value = float(data.arrays["test_inputs"][3, 1])
    assert said("fine, 0.950 of 1") == []
    assert "tells x a value of 'test_inputs'" in said(f"Row 3 gave {value:.6f}.")[0]
    assert said("see below", table=[[value]])
    case = Case(("a secret sentence",), expected=2.5)
    hidden = replace(data, cases={"calls": (case,)}, hidden=data.hidden | {"calls"})
    one = changed(proven[0], "alone", message="For a secret sentence the answer is wrong.")
    assert "'calls'" in leaks.in_feedback(tiny, hidden, [("x", one.report)])[0]


def within(data: DataSet) -> list[str]:
    return leaks.reachable(load_spec(SPECS / "tiny-training"), data, [])


ORDER = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
FLOATS = np.random.default_rng(2).normal(size=12).tolist()


def test_rows_of_numbers_in_facts_are_the_judges(tmp_path: Path, data: DataSet) -> None:
    """Lists and arrays at any depth: in arrays that are sent, in files as text, bytes and NumPy's own."""
    facts = {"order": ORDER, "deep": {"er": [{"a": np.array(FLOATS)}, {"b": [np.array(ORDER) > 4, "words"]}]}}
    kept = replace(data, facts=facts)
    assert within(kept) == []
    inputs = data.arrays["test_inputs"].copy()
    inputs[:12, 1] = FLOATS
    (said,) = within(replace(kept, arrays={**data.arrays, "test_inputs": inputs[:12]}))
    assert said == "the array 'test_inputs', which is sent, holds the judge's 'facts.deep.er[0].a'"
    files = {
        "order.txt": ("facts.order", f"The order is {ORDER}.".encode()),
        "order.u8": ("facts.order", b"head" + bytes(ORDER)),
        "floats.bin": ("facts.deep.er[0].a", np.array(FLOATS, dtype=np.float32).tobytes()),
        "floats.npz": ("facts.deep.er[0].a", packed(some=np.array(FLOATS))),
        "flags.txt": ("facts.deep.er[1].b[0]", str((np.array(ORDER) > 4).astype(int).tolist()).encode()),
    }
    for path, (name, content) in files.items():
        (said,) = within(replace(kept, files={path: content}))
        assert said == f"the file '{path}', which students' code can read, holds the judge's '{name}'"


def test_facts_that_tell_nothing(data: DataSet) -> None:
    """What is sorted, evenly spaced, constant or short, shares of few things, and numbers of few digits."""
    rows = [list(range(20)), np.linspace(0, 1, 20), [0.7351] * 20, [True] * 20, ORDER[:7], [[1, 2], [3]], []]
    facts = {"rows": rows, "few": [0.25, 1e-5, 12.5, float("nan"), float("inf")], "share": 13 / 15, "words": ["a"] * 9}
    arrays = {**data.arrays, "test_inputs": np.column_stack([list(range(20)), [0.7351] * 20]).astype(np.float32)}
    files = {"all.txt": json.dumps(rows[0]).encode() + f"{ORDER[:7]}, {13 / 15}, {1e-5}, 0.73510".encode()}
    assert within(replace(data, arrays=arrays, files=files, facts=facts)) == []


def test_telling_numbers_in_facts_are_the_judges(tmp_path: Path, data: DataSet) -> None:
    kept = replace(data, facts={"effects": {"good": 0.73412345678, "bad": np.float32(-0.0002113)}})
    shutil.copytree(SPECS / "tiny-training", tmp_path / "tiny-training")
    loaded = load_spec(tmp_path / "tiny-training")
    save(loaded.folder, "README.md", b"About 0.734, between 0.73411 and 10.734123.")
    assert leaks.reachable(loaded, kept, []) == []
    save(loaded.folder, "README.md", b"It is 0.734123.")
    assert leaks.reachable(loaded, kept, []) == ["README.md holds a number of the judge's 'facts.effects': 0.734123"]
    (said,) = within(replace(kept, files={"effects.json": b"[1.5, 0.73412345678]"}))
    assert said.endswith("students' code can read, holds a number of the judge's 'facts.effects': 0.73412345678")
    assert within(replace(kept, files={"vectors.txt": b"the 0.734123 -0.000211"})) == []  # chance, among so many


def test_facts_in_feedback(tiny: LoadedSpec, data: DataSet, proven: list[Graded]) -> None:
    kept = replace(data, facts={"order": ORDER, "loss": 0.73412345678})

    def said(message: str, verdict: Verdict = Verdict.FAILED, **evidence: object) -> list[str]:
        one = changed(proven[0], "alone", message=message, verdict=verdict, evidence=evidence)
        return leaks.in_feedback(tiny, kept, [("x", one.report)])

    assert said("The loss is 0.73, not 0.734.") == []
    assert said("The loss is not 0.734123.") == ["alone tells x a value of 'facts.loss': 0.734123"]
    assert said("see below", table=[[0.73412345678]]) == ["alone tells x a value of 'facts.loss': 0.73412345678"]
    assert said("see below", right=ORDER) == ["alone tells x values of 'facts.order', listed in a row"]
    # A right answer is the student's own.
    assert said(f"Your loss is 0.734123, your order {ORDER}.", Verdict.PASSED) == []


def test_folders_are_files_that_students_read(tmp_path: Path, data: DataSet) -> None:
    """The first 32 MB of each, in which a character may be cut; the smallest first, 256 MB in all."""
    labels = np.random.default_rng(1).permutation(data.arrays["test_labels"])
    data = replace(data, arrays={**data.arrays, "test_labels": labels})
    folder, most = tmp_path / "weights", kept_back.MOST_OF_FILE
    save(tmp_path, "weights.bin", np.random.default_rng(0).bytes(most))
    shown = replace(data, folders={"hub/bert": folder})
    save(folder, "config.json", b"{}")
    assert within(shown) == []
    save(folder, "deep/labels.csv", ",".join(map(str, labels)).encode())
    told = "the file 'hub/bert/{}', which students' code can read, holds the judge's 'test_labels'"
    assert within(shown) == [told.format("deep/labels.csv")]
    (folder / "deep/labels.csv").unlink()
    save(folder, "large.txt", str(labels.tolist()).encode().ljust(most - 1) + "é".encode())
    save(folder, "large.bin", labels.tobytes().rjust(most + 100, b"x"))  # beyond what is read
    assert within(shown) == [told.format("large.txt")]
    for number in range(kept_back.MOST_OF_FOLDERS // most):
        (folder / f"{number}.bin").hardlink_to(tmp_path / "weights.bin")
    assert within(shown) == []
    save(folder, "labels.u8", labels.astype(np.uint8).tobytes())
    assert within(shown) == [told.format("labels.u8")]


def test_a_check_that_only_one_report_has(proven: list[Graded]) -> None:
    checks = proven[0].report.checks
    assert differences(checks, checks) == []
    assert differences(checks, checks[1:]) == ["names: only in the first"]
    assert differences(checks[1:], checks) == ["names: only in the second"]
