"""Data of ccds-bert-emotion: a pre-trained BERT, sentences, and what the encoder makes of them.

The set `bert` takes an operator's own weights, from the folder `bert` of the data folder (the hub's layout:
config.json, model.safetensors and the tokenizer's files), and the real sentences if they lie beside it. The set
`standin` trains a small BERT and generates sentences.

| name | goes to the student's process | what for |
|---|---|---|
| bert/, hub/default/ | yes, as files | the checkpoint, for `path` and for names of the hub |
| bert_other/ | yes, as files | another one, smaller and untrained |
| bert_huge/ | yes, as files | bert_other with states HUGE times as large: a loss of probabilities learns nothing |
| datasets/emotion/ | yes, as files | the sentences of train_ids, for load_dataset("dair-ai/emotion") |
| public_ids, padded_ids, public_labels | yes | public sentences, plain and with more padding |
| train_ids, train_labels, sample_ids | yes | fine-tuning |
| val_ids, test_ids | yes, as hidden inputs | loss curve and accuracy |
| val_labels, test_labels | never | the judge's targets |
| encode_…, vectors_…, texts | yes, as calls; not their answers | encode, sentence_vectors, predict |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.sentences import EMOTIONS, Sentences, draw, read_emotion, served, word_pieces
from autograder.specs.trusted import TrustedResult, run_trusted

HERE = Path(__file__).parent
GIVEN, OTHER, SURE, SERVED = "bert", "bert_other", "bert_huge", "hub/default"
HUGE = 1e8
NEEDED = ("config.json", "model.safetensors")
SHAPES = {
    GIVEN: {"width": 64, "layers": 2, "heads": 4, "epochs": 6},
    OTHER: {"width": 32, "layers": 1, "heads": 2, "epochs": 0},
    SURE: {"width": 32, "layers": 1, "heads": 2, "epochs": 0, "times": HUGE},
}
# Real encoders want a far lower rate, and few sentences are enough for them.
TRAINING = {
    "standin": {"rows": 600, "length": 32, "epochs": 6, "batch_size": 16, "lr": 1e-3},
    "bert": {"rows": 320, "length": 48, "epochs": 3, "batch_size": 16, "lr": 1e-4},
}
PUBLIC_TEXTS = (
    "i feel sad",
    "today i feel so cheerful",
    "i was angry but now i feel fond of old times",
    "i am feeling shy at home this morning because of people around me",
    "once lonely i ended up feeling delighted",
    "they left me feeling stunned and still we talk about it all day long with my friends",
    "it makes me feel bitter",
    "i used to be nervous yet today i am caring",
)
LONG_TEXT = " ".join(["i was furious but now i feel astonished"] * 6)


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build the set `bert` (None if its folder is not there) or `standin`. The stand-in's weights never change."""
    rng = np.random.default_rng([seed, 29])
    if name == "bert" and data_dir is not None and all((data_dir / GIVEN / file).is_file() for file in NEEDED):
        folder = data_dir / GIVEN
        where = {"model": str(folder.resolve()), "digest": _digest(folder)}
        files, folders = _placed(OTHER) | _placed(SURE), {GIVEN: folder, SERVED: folder}
        return _data_set(name, _parts(name, read_emotion(data_dir), rng), where, files, folders)
    if name == "standin":
        files = _placed(GIVEN) | _placed(OTHER) | _placed(SURE)
        files |= {f"{SERVED}/{path.removeprefix(GIVEN + '/')}": made for path, made in _placed(GIVEN).items()}
        return _data_set(name, _parts(name, None, rng), {"model": GIVEN}, files, {})
    return None


def _placed(place: str) -> dict[str, bytes]:
    """The files of a made checkpoint, in its folder."""
    known = draw(3000, np.random.default_rng(3), rare_share=0.35, two_share=0.2)
    arguments = {**SHAPES[place], "texts": list(known.texts), "words": list(word_pieces()), "seed": 2}
    made = run_trusted(HERE / "pretrain.py", arguments, {"topics": known.labels})
    return {f"{place}/{path}": content for path, content in made.files.items()}


def _digest(folder: Path) -> str:
    """SHA-256 over a checkpoint's files, so that what was measured with others is not taken for it."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        total.update(path.name.encode())
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _parts(name: str, real: Mapping[str, Sentences] | None, rng: np.random.Generator) -> dict[str, Sentences]:
    """Sentences to train on, to watch the loss on, to judge by, and to ask for vectors and classes of."""
    sizes = {"train": TRAINING[name]["rows"], "val": 120, "test": 240, "texts": 200, "vectors": 30}
    parts = {}
    for part, count in sizes.items():
        if real is None:
            parts[part] = draw(int(count), rng, rare_share=0.03 if part == "train" else 0.25)
        else:
            found = real[part if part in ("train", "val") else "test"]
            chosen = rng.permutation(len(found.texts))[: int(count)]
            parts[part] = Sentences(tuple(found.texts[i] for i in chosen), found.labels[chosen])
    return parts


def _data_set(
    name: str, parts: dict[str, Sentences], where: dict[str, Any], files: dict[str, bytes], folders: dict[str, Path]
) -> DataSet:
    training, public = TRAINING[name], list(PUBLIC_TEXTS)
    texts = {part: list(found.texts) for part, found in parts.items()}
    hidden = texts["vectors"]
    calls = {
        "encode_public": ((public[:1], 16), (public[:4], 24), ([LONG_TEXT, *public[:2]], 12)),
        "encode_hidden": ((hidden[:1], 32), (hidden[1:12], 48), ([*hidden[12:20], LONG_TEXT], 10), (hidden[20:], 7)),
    }
    vectors = {"vectors_public": (public[:1], public), "vectors_hidden": (hidden[:1], hidden[1:])}
    arguments = {
        **where,
        "rows": {part: [texts[part], training["length"]] for part in ("train", "val", "test")}
        | {"public": [public, 24], "padded": [public, 48]},
        "encoded": {f"{kind}_{i}": call for kind, listed in calls.items() for i, call in enumerate(listed)},
        "vectors": {f"{kind}_{i}": call for kind, listed in vectors.items() for i, call in enumerate(listed)},
    }
    # An operator's model has a digest, and may be large.
    seen = run_trusted(HERE / "measure.py", arguments, files=files, same_bits="digest" not in where)
    other = run_trusted(
        HERE / "measure.py",
        {"model": OTHER, "rows": {}, "encoded": {}, "vectors": {"vectors_other_0": public}},
        files=_placed(OTHER),
    )
    arrays = {f"{part}_ids": seen.arrays[f"rows_{part}"] for part in ("train", "val", "test", "public", "padded")}
    arrays |= {f"{part}_labels": parts[part].labels for part in ("train", "val", "test")}
    arrays["public_labels"] = np.arange(len(public), dtype=np.int64) % len(EMOTIONS)
    arrays["sample_ids"], arrays["sample_labels"] = arrays["train_ids"][:120], arrays["train_labels"][:120]
    cases = {kind: _encode_cases(kind, listed, seen) for kind, listed in calls.items()}
    cases |= {kind: _vector_cases(kind, listed, seen, "model", GIVEN) for kind, listed in vectors.items()}
    cases["vectors_other"] = _vector_cases("vectors_other", (public,), other, "other", OTHER)
    cases["texts"] = (_texts_case(parts["texts"], training),)
    return DataSet(
        name,
        arrays,
        hidden=frozenset({"val_ids", "test_ids", "encode_hidden", "vectors_hidden", "texts"}),
        judge_only=frozenset({"val_labels", "test_labels"}),
        class_names=EMOTIONS,
        cases=cases,
        files=files | served(parts["train"]),
        folders=folders,
    )


def _encode_cases(kind: str, listed: tuple[Any, ...], seen: TrustedResult) -> tuple[Case, ...]:
    return tuple(
        Case(
            (Ref("tokenizer", GIVEN), texts, longest),
            expected={"ids": seen.facts["encoded"][f"{kind}_{i}"], "longest": longest},
            size=i,
            label=f"{len(texts)} texts, max_length {longest}",
        )
        for i, (texts, longest) in enumerate(listed)
    )


def _vector_cases(
    kind: str, listed: tuple[list[str], ...], seen: TrustedResult, entry: str, folder: str
) -> tuple[Case, ...]:
    """Calls on the student's own model, which comes in train mode."""
    cases = []
    for i, texts in enumerate(listed):
        before = f"{kind}_{i}_"
        ways = {key.removeprefix(before): made for key, made in seen.arrays.items() if key.startswith(before)}
        given = (Ref("built", entry, train=True), Ref("tokenizer", folder), texts)
        cases.append(Case(given, expected=ways, size=len(texts), label=f"{len(texts)} texts"))
    return tuple(cases)


def _texts_case(found: Sentences, training: Mapping[str, Any]) -> Case:
    """Every text twice, the second time in reverse order; the model was trained by the student's fine_tune.

    A long text among them makes the padding of the others long, so that a missing mask shows.
    """
    how = {key: training[key] for key in ("epochs", "batch_size", "lr")}
    model = Ref("built", "model", function="fine_tune", inputs="train_ids", targets="train_labels", train=True, **how)
    texts, classes = [*found.texts, LONG_TEXT], np.append(found.labels, EMOTIONS.index("surprise"))
    given = (model, Ref("tokenizer", GIVEN), [*texts, *reversed(texts)])
    return Case(given, expected={"classes": classes}, size=len(texts))
