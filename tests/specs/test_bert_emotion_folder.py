"""ccds-attentive-tokens takes an operator's own fine-tuned weights where a folder has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.errors import SpecError
from autograder.intake import unpack
from autograder.model import Verdict
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec
from autograder.specs.standins.sentences import EMOTIONS, draw

SPEC = load_spec(settings().specs_dir / "ccds-attentive-tokens")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A data folder with weights of another shape than the stand-in's first model."""
    folder = tmp_path / "bert_emotion"
    folder.mkdir()
    for name, content in SPEC.build_data(None, 0, "standin").files.items():
        if name.startswith("hub/other/"):
            (folder / Path(name).name).write_bytes(content)
    return folder


def test_right_work_passes_with_weights_of_a_folder(own: Path, sandbox: Sandbox) -> None:
    data = SPEC.build_data(own.parent, 0)
    assert (data.name, data.folders) == ("bert_emotion", {"hub/default": own})
    assert len(data.cases["batches"][0].arguments[1]["input_ids"]) == 3, "as many sentences as layers"
    content = (settings().solutions_dir / SPEC.spec.id / "accepted" / "reference.py").read_bytes()
    report = pipeline.grade(SPEC, unpack("reference.py", content), sandbox, data=data)
    assert report.verdict is Verdict.PASSED, [(c.id, c.message) for c in report.checks]


def test_real_sentences_are_taken_where_they_lie_beside_it(own: Path) -> None:
    lying = draw(300, np.random.default_rng(9), rare_share=0.3)
    lines = [f"{text};{EMOTIONS[label]}\n" for text, label in zip(lying.texts, lying.labels, strict=True)]
    (own.parent / "emotion").mkdir()
    for part in ("train", "val", "test"):
        (own.parent / "emotion" / f"{part}.txt").write_text("".join(lines))
    texts = SPEC.build_data(own.parent, 0).cases["texts"][0].arguments[2]
    assert sum(text in lying.texts for text in texts[:240]) == 192
    assert not any(text in lying.texts for text in texts[240:]), "those that repeat a word are made"


def test_weights_that_see_one_class_alone_are_refused(own: Path) -> None:
    raw = bytearray((own / "model.safetensors").read_bytes())
    begin = 8 + int.from_bytes(raw[:8], "little")  # of the numbers, behind a header
    at = json.loads(raw[8:begin])["classifier.bias"]["data_offsets"][0]
    np.frombuffer(raw, "<f4", 1, begin + at)[0] = 1000.0
    (own / "model.safetensors").write_bytes(raw)
    with pytest.raises(SpecError, match="too few of the sentences"):
        SPEC.build_data(own.parent, 0)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"0": "LABEL_0", "1": "LABEL_1"}, "id2label names label_0, label_1"),
        ({}, "names nothing"),
        (None, "not the configuration of a classifier"),
    ],
)
def test_weights_that_do_not_tell_the_emotions_are_refused(own: Path, labels: object, words: str) -> None:
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps(config | {"id2label": labels}))
    with pytest.raises(SpecError, match=words) as refused:
        SPEC.build_data(own.parent, 0)
    assert "sadness" in refused.value.hint
