"""Well-known data and models inside a submission: served from the task's files, refused at once where it has none."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.config import ROOT
from autograder.specs.trusted import run_trusted
from tests.harness.client import Harness

MODES = ("definitions", "run_all")
SMALL_BERT = ROOT / "tests" / "fixtures" / "small_bert.py"


def pictures() -> bytes:
    """datasets/cifar10.npz with 20 + 10 images; the first pixel's red is the image's number."""
    draw = np.random.default_rng(0)
    parts: dict[str, Any] = {}
    for part, count in (("train", 20), ("test", 10)):
        images = draw.integers(0, 256, size=(count, 32, 32, 3), dtype=np.uint8)
        images[:, 0, 0, 0] = np.arange(count)
        parts |= {f"x_{part}": images, f"y_{part}": np.arange(count) % 10}
    buffer = io.BytesIO()
    np.savez(buffer, **parts)
    return buffer.getvalue()


def sentences(count: int) -> bytes:
    return "".join(json.dumps({"text": f"i feel {n}", "label": n % 6}) + "\n" for n in range(count)).encode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task's files."""
    bert = run_trusted(SMALL_BERT, {"place": "hub/default"})
    names = ["sadness", "joy", "love", "anger", "fear", "surprise"]
    files = {
        **bert.files,
        "datasets/cifar10.npz": pictures(),
        "datasets/emotion/train.jsonl": sentences(30),
        "datasets/emotion/validation.jsonl": sentences(6),
        "datasets/emotion/test.jsonl": sentences(12),
        "datasets/emotion/features.json": json.dumps({"label": names}).encode(),
        "vectors/toy.txt": b"4 3\nking 1 0 0\nqueen 0.9 0.1 0\nman 0 1 0\nwoman 0 0.9 0.1\n",
        "notes/readme.txt": b"read me",
    }
    folder = tmp_path_factory.mktemp("data")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def load(harness: Harness, source: str, mode: str, data: Path | None, **files: bytes) -> dict[str, Any]:
    given = [{"name": "submission.py", "data": source.encode()}, *({"name": n, "data": d} for n, d in files.items())]
    shown = str(data) if data else None
    return harness.result("load", files=given, main="submission.py", mode=mode, seed=0, data=shown)


def value(harness: Harness, name: str) -> Any:
    harness.function(name, kind="value")
    return harness.result("call", entry="f", arguments=[], keywords={})["value"]


BERT = """
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, BertModel, BertTokenizer
from transformers import BertForSequenceClassification, pipeline

def look():
    tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
    other = BertTokenizer.from_pretrained("google-bert/bert-base-uncased")
    model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=3)
    classifier = BertForSequenceClassification.from_pretrained("someone/bert-emotion", output_attentions=True)
    bare = BertModel.from_pretrained("bert-base-uncased", attn_implementation="eager")
    batch = tokenizer(["i feel happy", "so sad"], padding=True, return_tensors="pt")
    classify = pipeline("text-classification", model="distilbert-base-uncased")
    return {
        "tokens": tokenizer.tokenize("i feel walking"),
        "same": other.tokenize("i feel walking") == tokenizer.tokenize("i feel walking"),
        "three": list(model(**batch).logits.shape),
        "six": list(classifier(**batch).logits.shape),
        "attention": list(bare(**batch, output_attentions=True).attentions[-1].shape),
        "hidden": AutoConfig.from_pretrained("bert-base-cased").hidden_size,
        "pipeline": sorted(classify("i feel happy")[0]),
    }

seen = look()
"""


@pytest.mark.parametrize("mode", MODES)
def test_names_of_the_hub_are_served(harness: Harness, data: Path, mode: str) -> None:
    load(harness, BERT, mode, data)
    assert value(harness, "seen") == {
        "tokens": ["i", "feel", "walk", "##ing"],
        "same": True,
        "three": [2, 3],
        "six": [2, 6],
        "attention": [2, 2, 5, 5],
        "hidden": 32,
        "pipeline": ["label", "score"],
    }


GIVEN = """
import torch

kept = []

def spoil(model, tokenizer):
    with torch.no_grad():
        ids = tokenizer("i feel walking", return_tensors="pt")
        logits = model(**ids).logits
        for parameter in model.parameters():
            parameter.zero_()
    seen = [model.training, model.config.num_labels, len(tokenizer), all(model is not other for other in kept)]
    model.train()
    model.config.num_labels = 77
    tokenizer.add_tokens(["happyish"])
    kept.append(model)
    return [seen, logits]
"""


@pytest.mark.parametrize("most", ["local._KEPT", "0"])
def test_a_model_that_is_given_is_each_time_as_its_files_say(harness: Harness, data: Path, most: str) -> None:
    load(harness, f"from harness import local\nlocal._KEPT = {most}\n{GIVEN}", "run_all", data)
    harness.function("spoil")
    given = [{"$ref": kind, "name": "hub/default"} for kind in ("model", "tokenizer")]
    harness.result("calls", entry="f", cases=[{"arguments": given, "keywords": {}}] * 3)
    (first, logits), *others = [event["value"] for event in harness.events]
    assert first[:2] == [False, 6]
    assert np.abs(logits).max() > 0
    for seen, same in others:
        assert seen == first
        np.testing.assert_array_equal(same, logits)


CIFAR = """
import torch, torchvision
import torchvision.transforms as transforms
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR10

class Halved(CIFAR10):
    def __len__(self):
        return super().__len__() // 2

def look():
    norm = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
    train = torchvision.datasets.CIFAR10(root="./data", train=True, transform=norm, download=True)
    test = CIFAR10("./data", train=False)
    images, labels = next(iter(DataLoader(train, batch_size=8, shuffle=False)))
    picture, label = test[3]
    return {
        "sizes": [len(train), len(test), len(Halved("."))],
        "batch": list(images.shape), "dtype": str(images.dtype), "labels": labels.tolist(),
        "first": round(float(images[4, 0, 0, 0]) * 255 / 2 + 127.5),
        "range": [float(images.min()) >= -1, float(images.max()) <= 1],
        "picture": [type(picture).__name__, list(picture.size), picture.mode, picture.getpixel((0, 0))[0], label],
        "data": [type(test.data).__name__, list(test.data.shape), str(test.data.dtype), type(test.targets).__name__],
        "classes": [train.classes[3], train.class_to_idx["truck"]],
        "is_dataset": isinstance(train, torch.utils.data.Dataset),
        "name": type(train).__name__,
    }

seen = look()
"""


@pytest.mark.parametrize("mode", MODES)
def test_cifar_is_served_as_torchvision_has_it(harness: Harness, data: Path, mode: str) -> None:
    load(harness, CIFAR, mode, data)
    assert value(harness, "seen") == {
        "sizes": [20, 10, 10],
        "batch": [8, 3, 32, 32],
        "dtype": "torch.float32",
        "labels": list(range(8)),
        "first": 4,
        "range": [True, True],
        "picture": ["Image", [32, 32], "RGB", 3, 3],
        "data": ["ndarray", [10, 32, 32, 3], "uint8", "list"],
        "classes": ["cat", 9],
        "is_dataset": True,
        "name": "CIFAR10",
    }


EMOTION = """
import torch
from datasets import ClassLabel, Dataset, DatasetDict, load_dataset
from torch.utils.data import DataLoader

def look():
    emotion = load_dataset("dair-ai/emotion")
    train = emotion["train"]
    longer = emotion.map(lambda batch: {"length": [len(t) for t in batch["text"]]}, batched=True)
    single = train.map(lambda row: {"length": len(row["text"])}, remove_columns=["text"])
    longer.set_format("torch", columns=["label", "length"])
    batch = next(iter(DataLoader(longer["train"], batch_size=4)))
    split = train.train_test_split(test_size=0.2, seed=1)
    return {
        "splits": list(emotion), "rows": emotion.num_rows, "columns": train.column_names,
        "row": train[1], "column": train["label"][:3], "slice": train[2:4],
        "part": [len(load_dataset("emotion", split="train[:50%]")), len(load_dataset("emotion", split="test[2:5]"))],
        "names": train.features["label"].names[1], "to_name": train.features["label"].int2str(2),
        "batch": {k: [list(v.shape), str(v.dtype)] for k, v in batch.items()},
        "single": single[0], "filtered": len(train.filter(lambda row: row["label"] == 0)),
        "shuffled": train.shuffle(seed=3)["label"] != train["label"],
        "again": train.shuffle(seed=3)["label"] == train.shuffle(seed=3)["label"],
        "split": [len(split["train"]), len(split["test"])],
        "renamed": train.rename_column("label", "labels").column_names,
        "selected": train.select(range(2))["text"], "pandas": list(train.to_pandas().columns),
        "made": Dataset.from_dict({"a": [1, 2]})[1], "iterated": sum(row["label"] for row in emotion["validation"]),
    }

seen = look()
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_hub_data_set_is_served(harness: Harness, data: Path, mode: str) -> None:
    load(harness, EMOTION, mode, data)
    assert value(harness, "seen") == {
        "splits": ["train", "validation", "test"],
        "rows": {"train": 30, "validation": 6, "test": 12},
        "columns": ["text", "label"],
        "row": {"text": "i feel 1", "label": 1},
        "column": [0, 1, 2],
        "slice": {"text": ["i feel 2", "i feel 3"], "label": [2, 3]},
        "part": [15, 3],
        "names": "joy",
        "to_name": "love",
        "batch": {"label": [[4], "torch.int64"], "length": [[4], "torch.int64"]},
        "single": {"label": 0, "length": 8},
        "filtered": 5,
        "shuffled": True,
        "again": True,
        "split": [24, 6],
        "renamed": ["text", "labels"],
        "selected": ["i feel 0", "i feel 1"],
        "pandas": ["text", "label"],
        "made": {"a": 2},
        "iterated": 15,
    }


VECTORS = """
import gensim.downloader as api
from gensim.models import KeyedVectors

def look():
    big = KeyedVectors.load_word2vec_format("GoogleNews-vectors-negative300.bin.gz", binary=True, limit=100000)
    toy = KeyedVectors.load_word2vec_format("vectors/toy.txt")
    loaded = api.load("word2vec-google-news-300")
    return {
        "size": [big.vector_size, len(toy), list(loaded.vectors.shape), str(toy.vectors.dtype)],
        "king": big["king"], "in": ["king" in toy, "nobody" in toy], "row": toy.key_to_index["man"],
        "near": toy.most_similar("king", topn=1)[0][0],
        "analogy": toy.most_similar(positive=["king", "woman"], negative=["man"], topn=1)[0][0],
        "cosine": round(toy.similarity("king", "man"), 3), "two": list(toy[["king", "man"]].shape),
        "order": toy.index_to_key[:2],
    }

seen = look()
"""


@pytest.mark.parametrize("mode", MODES)
def test_word_vectors_are_served(harness: Harness, data: Path, mode: str) -> None:
    load(harness, VECTORS, mode, data)
    seen = value(harness, "seen")
    np.testing.assert_array_equal(seen.pop("king"), np.array([1, 0, 0], np.float32))
    assert seen == {
        "size": [3, 4, [4, 3], "float32"],
        "in": [True, False],
        "row": 2,
        "near": "queen",
        "analogy": "queen",
        "cosine": 0.0,
        "two": [2, 3],
        "order": ["king", "queen"],
    }


ASKS = [
    (
        "from transformers import AutoTokenizer",
        "AutoTokenizer.from_pretrained('bert-base-uncased')",
        "bert-base-uncased",
    ),
    ("from transformers import AutoModel", "AutoModel.from_pretrained('a/b')", "AutoModel.from_pretrained('a/b')"),
    ("from transformers import BertModel", "BertModel.from_pretrained('a/b')", "BertModel.from_pretrained('a/b')"),
    ("from transformers import BertTokenizer", "BertTokenizer.from_pretrained('a/b')", "from_pretrained('a/b')"),
    ("from transformers import BertConfig", "BertConfig.from_pretrained('a/b')", "from_pretrained('a/b')"),
    ("import torchvision", "torchvision.datasets.CIFAR10('.', download=True)", "torchvision.datasets.CIFAR10"),
    ("from torchvision import datasets", "datasets.ImageFolder('train')", "torchvision.datasets.ImageFolder"),
    ("from datasets import load_dataset", "load_dataset('glue', 'sst2')", "load_dataset('glue', 'sst2')"),
    (
        "from gensim.models import KeyedVectors",
        "KeyedVectors.load_word2vec_format('GoogleNews.bin')",
        "'GoogleNews.bin'",
    ),
    ("import gensim.downloader as api", "api.load('glove-wiki-gigaword-50')", "'glove-wiki-gigaword-50'"),
]


@pytest.mark.parametrize(("imports", "asks", "named"), ASKS)
def test_what_the_task_does_not_have_is_refused_at_once_by_name(
    harness: Harness, imports: str, asks: str, named: str
) -> None:
    load(harness, f"{imports}\n\ndef look():\n    return {asks}\n", "definitions", None)
    harness.function("look")
    begun = time.monotonic()
    error = harness.error("call", entry="f", arguments=[], keywords={})
    assert time.monotonic() - begun < 20  # the import of transformers alone
    assert error["kind"] == "network"
    assert named in error["message"]
    assert ".zip" in error["message"]
    assert error["where"] == "submission.py, line 4"


def test_a_refusal_says_what_there_is(harness: Harness, data: Path) -> None:
    source = "import torchvision, datasets\n\ndef look(kind):\n"
    source += "    return torchvision.datasets.MNIST('.') if kind else datasets.load_dataset('imdb')\n"
    load(harness, source, "definitions", data)
    harness.function("look")
    for kind, has in ((1, "It has: cifar10."), (0, "It has: emotion.")):
        assert has in harness.error("call", entry="f", arguments=[kind], keywords={})["message"]


def test_files_lie_beside_the_submission_and_win(harness: Harness, data: Path) -> None:
    source = (
        "def look():\n    open('notes/mine.txt', 'w').write('new')\n"
        "    names = ('notes/readme.txt', 'notes/mine.txt', 'vectors/toy.txt')\n"
        "    return [open(name).read() for name in names]\n"
    )
    load(harness, source, "definitions", data, **{"notes/readme.txt": b"my own"})
    harness.function("look")
    seen = harness.result("call", entry="f", arguments=[], keywords={})["value"]
    assert seen == ["read me", "new", (data / "vectors" / "toy.txt").read_text()]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", ["datasets.py", "src/datasets.py"])
def test_a_students_own_module_of_the_name_wins(harness: Harness, data: Path, mode: str, place: str) -> None:
    source = "import sys\nsys.path.append('src')\nimport datasets\n\ndef look():\n    return datasets.MINE\n"
    load(harness, source, mode, data, **{place: b"MINE = 5\n"})
    harness.function("look")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 5


def test_a_saved_model_of_the_students_own_is_read(harness: Harness, data: Path) -> None:
    source = """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    def look():
        AutoModelForSequenceClassification.from_pretrained("bert-base-uncased").save_pretrained("mine")
        AutoTokenizer.from_pretrained("bert-base-uncased").save_pretrained("mine")
        model = AutoModelForSequenceClassification.from_pretrained("./mine")
        return [model.config.num_labels, len(AutoTokenizer.from_pretrained("mine"))]
    """
    load(harness, "\n".join(line[4:] for line in source.splitlines()), "definitions", data)
    harness.function("look")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == [6, 18]
