"""A task with a BERT of its own, from data builder to student code, in both sandboxes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.config import ROOT, settings
from autograder.intake import unpack
from autograder.probing import Prober
from autograder.sandbox import NAMES, open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec

SPEC = """
id: bert-task
title: Look at attention
points: 1
limits: {load_s: 60, wall_s: 60, cpu_s: 100}
runtime: {preload: [transformers]}
entry_points:
  attention: {kind: function, names: [attention]}
  unchanged: {kind: function, names: [unchanged]}
  spoil: {kind: function, names: [spoil]}
  change: {kind: function, names: [change]}
data: {sets: [standin]}
observations:
  names: {probe: resolve}
  given: {probe: calls, entry: attention, cases: given}
  changed: {probe: calls, entry: change, cases: given_twice}
  hub: {probe: calls, entry: unchanged, cases: plain}
  harm: {probe: calls, entry: spoil, cases: plain}
stages:
  - {name: Names, checks: [{id: names, type: entry_points, observe: names, points: 1}]}
"""
DATA = f"""
from pathlib import Path

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.trusted import run_trusted


def build(name, data_dir, seed):
    made = run_trusted(Path({str(ROOT / "tests/fixtures/small_bert.py")!r}), {{"place": "hub/default", "seed": seed}})
    model, tokenizer = Ref("model", "hub/default"), Ref("tokenizer", "hub/default")
    case = Case(arguments=(model, tokenizer, "i feel walking"))
    cases = {{"given": (case,), "given_twice": (case, case), "plain": (Case(),)}}
    folders = {{"hub/big": Path(data_dir)}} if data_dir else {{}}
    return DataSet(name, cases=cases, files={{**made.files, "vectors/toy.txt": b"1 2\\na 1 2\\n"}}, folders=folders)
"""
SUBMISSION = b"""
import sys
import torch
WAS_THERE = "transformers" in sys.modules
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def attention(model, tokenizer, text):
    batch = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        answer = model(**batch, output_attentions=True)
    return {"attention": answer.attentions[-1], "logits": answer.logits, "training": model.training,
            "there": WAS_THERE, "tokens": tokenizer.convert_ids_to_tokens(batch["input_ids"][0])}


def unchanged():
    tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
    model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=6).eval()
    with torch.no_grad():
        return {"logits": model(**tokenizer("i feel walking", return_tensors="pt")).logits}


def change(model, tokenizer, text):
    seen = [model.classifier.weight.abs().sum(), float(model.training), float(len(tokenizer))]
    with torch.no_grad():
        model.classifier.weight.zero_()
    model.train()
    model.config.num_labels = 2
    tokenizer.add_tokens(["walking"])
    return torch.tensor(seen)


def spoil():
    done = []
    for path in ("hub/default/config.json", "/data/hub/default/config.json"):
        try:
            open(path, "w").write("mine")
            done.append(path)
        except OSError:
            pass
    return {"done": done, "vectors": open("vectors/toy.txt").read()}
"""


@pytest.fixture(scope="module", params=NAMES)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every implementation in turn."""
    made = open_sandbox(settings().model_copy(update={"sandbox": request.param}))
    yield made
    made.close()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadedSpec, DataSet]:
    folder = tmp_path_factory.mktemp("specs") / "bert-task"
    folder.mkdir()
    (folder / "spec.yaml").write_text(SPEC)
    (folder / "data.py").write_text(DATA)
    loaded = load_spec(folder)
    return loaded, loaded.build_data(None, loaded.spec.seed)


def ask(task: tuple[LoadedSpec, DataSet], sandbox: Sandbox, *names: str) -> list[dict[str, Any]]:
    """The one answer of each observation."""
    loaded, data = task
    prober = Prober(loaded.spec, unpack("submission.py", SUBMISSION), data, sandbox, 0)
    try:
        seen = [prober.observe(loaded.spec.observations[name], 0) for name in names]
    finally:
        prober.close()
    assert [one.failure for one in seen] == [None] * len(names)
    return [one.values["answers"][0]["value"] for one in seen]


def test_a_given_model_and_one_of_the_hub_are_the_same(task: tuple[LoadedSpec, DataSet], sandbox: Sandbox) -> None:
    given, hub, harm = ask(task, sandbox, "given", "hub", "harm")
    assert given["tokens"] == ["[CLS]", "i", "feel", "walk", "##ing", "[SEP]"]
    assert given["attention"].shape == (1, 2, 6, 6)
    np.testing.assert_allclose(given["attention"].sum(-1), 1, atol=1e-5)
    assert given["training"] is False
    np.testing.assert_allclose(given["logits"], hub["logits"], atol=1e-5)
    assert harm == {"done": [], "vectors": "1 2\na 1 2\n"}
    assert given["there"] is (sandbox.name == "forkserver")


def test_what_one_call_does_to_a_given_model_the_next_does_not_see(
    task: tuple[LoadedSpec, DataSet], sandbox: Sandbox
) -> None:
    loaded, data = task
    prober = Prober(loaded.spec, unpack("submission.py", SUBMISSION), data, sandbox, 0)
    try:
        answers = prober.observe(loaded.spec.observations["changed"], 0).values["answers"]
    finally:
        prober.close()
    first, second = (answer["value"] for answer in answers)
    assert first[0] > 0
    np.testing.assert_array_equal(first, second)


def test_a_warm_session_does_not_pay_for_imports(task: tuple[LoadedSpec, DataSet]) -> None:
    sandbox = open_sandbox(settings())
    ask(task, sandbox, "given")  # starts the server
    begun = time.monotonic()
    ask(task, sandbox, "given", "hub")
    taken = time.monotonic() - begun
    sandbox.close()
    assert taken < 4  # well below a second on a quiet machine


def test_a_folder_of_the_operator_is_shown(task: tuple[LoadedSpec, DataSet], tmp_path: Path, sandbox: Sandbox) -> None:
    loaded, _ = task
    (tmp_path / "weights.bin").write_bytes(bytes(50 << 20))
    data = loaded.build_data(tmp_path, loaded.spec.seed)
    source = SUBMISSION + b"\n\ndef spoil():\n    return {'size': len(open('hub/big/weights.bin', 'rb').read())}\n"
    prober = Prober(loaded.spec, unpack("submission.py", source), data, sandbox, 0)
    try:
        seen = prober.observe(loaded.spec.observations["harm"], 0)
    finally:
        prober.close()
    assert seen.failure is None
    assert seen.values["answers"][0]["value"] == {"size": 50 << 20}
