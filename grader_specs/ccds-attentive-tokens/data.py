"""Data of ccds-attentive-tokens: two BERTs, sentences, and what the models attend to.

The set `bert_emotion` takes an operator's own fine-tuned BERT as the first of the two, from the folder `bert_emotion`
of the data folder (the hub's layout: config.json with the six emotions in id2label, model.safetensors, the tokenizer's
files), and the real sentences if they lie beside it. The set `standin` trains both and generates the sentences.

| name | goes to the student's process | what for |
|---|---|---|
| hub/default/, hub/other/ | yes, as files | the two models and their tokenizers |
| datasets/emotion/ | yes, as files | labelled sentences, for load_dataset("dair-ai/emotion") |
| public_… | yes, as calls; not their answers | batches, sentences and texts whose errors are shown |
| batches, other_batches, sentences, texts, other_texts | yes, as hidden calls | the same for others |
| …_rankings, …_mistakes, …_effects | never | words by every accepted way, by wrong ones, what hiding them does |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.errors import SpecError
from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.sentences import (
    COMMON,
    EMOTIONS,
    FILLERS,
    RARE,
    Sentences,
    draw,
    read_emotion,
    served,
    word_pieces,
)
from autograder.specs.trusted import TrustedResult, run_trusted

HERE = Path(__file__).parent
GIVEN, OTHER, OWN = "hub/default", "hub/other", "bert_emotion"
NEEDED = ("config.json", "model.safetensors")
# Under these seeds [CLS] and [SEP] get as much attention as class words in some classes, so leaving them in shows.
SHAPES = {
    GIVEN: {"layers": 2, "heads": 4, "epochs": 10, "seed": 4},
    OTHER: {"layers": 3, "heads": 2, "epochs": 4, "seed": 2},
}
WORDS = {"public": 6, "hidden": 12, "other": 8}  # asked for of each class; spec.yaml says the same as `k`
SHOWN = 1000  # labelled sentences that students may load
PUBLIC_TEXTS = (
    "today i feel so depressed",
    "i was angry but now i feel fond of old times",
    "they left me feeling astonished",
    "i am feeling shy",
    "once lonely i ended up feeling cheerful at home",
    "it makes me feel resentful and still we talk",
    "with my friends in the park",
    "work at home this morning",
)
# Class words of which the first piece says nothing, so that the score of the first piece is not the largest.
LATE_PIECES = {"amazed": "##azed", "afraid": "##fraid", "anxious": "##nxious", "astonish": "##stonished"}


def draw_known() -> Sentences:
    """What the made models learn from."""
    return draw(4000, np.random.default_rng(2), rare_share=0.35)


@dataclass(frozen=True)
class Main:
    """The first model: what measure.py is told and given, names of its classes, its layers, what students are given."""

    where: Mapping[str, Any]
    layers: int
    classes: tuple[str, ...] = EMOTIONS
    known: Sentences = field(default_factory=draw_known)
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)


def build(name: str, data_dir: Path | None, seed: int) -> DataSet | None:
    """Build the set `bert_emotion` (None if its folder is not there) or `standin`.

    The stand-in's models are the same under every seed, the hidden texts are not. Raises SpecError for weights that
    can't be used.
    """
    if name == OWN and data_dir is not None and all((data_dir / OWN / file).is_file() for file in NEEDED):
        real = read_emotion(data_dir)
        main = _own(data_dir / OWN)
        main = main if real is None else replace(main, known=real["train"])
        return _data_set(name, main, None if real is None else real["test"], seed)
    if name == "standin":
        made = _model(GIVEN, EMOTIONS)
        return _data_set(name, Main({"model": GIVEN}, int(SHAPES[GIVEN]["layers"]), files=made.files), None, seed)
    return None


def _own(folder: Path) -> Main:
    """An operator's weights. Raises SpecError if they don't tell the six emotions."""
    config = folder / "config.json"
    try:
        told = json.loads(config.read_text("utf-8"))
        labels = {int(number): str(label).strip().lower() for number, label in told["id2label"].items()}
        layers = int(told["num_hidden_layers"])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise SpecError(f"{config}: not the configuration of a classifier ({error!r})", _FIT) from error
    classes = tuple(labels.get(number, "") for number in range(len(EMOTIONS)))
    if sorted(labels.values()) != sorted(EMOTIONS) or set(classes) != set(EMOTIONS):
        raise SpecError(f"{config}: id2label names {', '.join(labels.values()) or 'nothing'}", _FIT)
    total = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        total.update(path.name.encode())
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    where = {"model": str(folder.resolve()), "digest": total.hexdigest()}
    return Main(where, layers, classes, folders={GIVEN: folder})


_FIT = f"Put a BERT there that was fine-tuned on the emotions, with the names {', '.join(EMOTIONS)} in id2label."


def _data_set(name: str, main: Main, real: Sentences | None, seed: int) -> DataSet:
    other_model, rng = _model(OTHER, main.classes), np.random.default_rng(seed)
    texts = {"public": _texts(90, np.random.default_rng(5), real), "hidden": _texts(240, rng, real)}
    texts = {"public": [*texts["public"], *_repeated(5)], "hidden": [*texts["hidden"], *_repeated(seed)]}
    sentences = [*PUBLIC_TEXTS, *_texts(40, rng, real)]
    batches = {
        "small": list(PUBLIC_TEXTS[:3]),
        "hidden": _texts(5, rng, real),
        "square": _texts(main.layers, rng, real),  # as many sentences as layers
    }
    seen = _seen(main.where, main.files, batches, sentences, texts)
    other_texts = [*_texts(90, rng, None), *_repeated(seed + 1)]
    other = _seen({"model": OTHER}, other_model.files, {"other": _texts(4, rng, None)}, [], {"other": other_texts})
    split = len(PUBLIC_TEXTS)
    cases = {
        "public_batches": (_batch(GIVEN, "small", seen),),
        "batches": (_batch(GIVEN, "square", seen), _batch(GIVEN, "hidden", seen)),
        "other_batches": (_batch(OTHER, "other", other),),
        "public_sentences": _sentences(sentences[:split], seen.facts["sentences"][:split]),
        "sentences": _sentences(sentences[split:], seen.facts["sentences"][split:]),
        "public_texts": (_ranking(GIVEN, texts["public"], WORDS["public"]),),
        "texts": (_ranking(GIVEN, texts["hidden"], WORDS["hidden"]),),
        "other_texts": (_ranking(OTHER, other_texts, WORDS["other"]),),
    }
    facts = _facts(seen, main.classes) | _facts(other, main.classes)
    hidden = frozenset({"batches", "other_batches", "sentences", "texts", "other_texts"})
    order = np.array([main.classes.index(name) for name in EMOTIONS], dtype=np.int64)
    shown = Sentences(main.known.texts[:SHOWN], order[main.known.labels[:SHOWN]])
    files = {**main.files, **other_model.files, **served(shown, main.classes)}
    return DataSet(
        name, {}, hidden, class_names=main.classes, cases=cases, files=files, folders=main.folders, facts=facts
    )


def _texts(count: int, rng: np.random.Generator, real: Sentences | None) -> list[str]:
    """Sentences of balanced classes, a fifth of them without any emotion: there special tokens get most attention."""
    neutral = [" ".join(rng.choice(FILLERS, size=rng.integers(2, 7))) for _ in range(count // 5)]
    wanted = count - len(neutral)
    if real is None:
        texts = [*draw(wanted, rng, rare_share=0.3).texts, *neutral]
    else:
        pools = [rng.permutation(np.flatnonzero(real.labels == label)) for label in range(len(EMOTIONS))]
        turns = [real.texts[row] for turn in range(wanted) for pool in pools for row in pool[turn : turn + 1]]
        texts = [*turns[:wanted], *neutral]
    return [texts[i] for i in rng.permutation(len(texts))]


def _repeated(seed: int) -> list[str]:
    """Sentences in which a class word stands several times: who counts it once for each sentence ranks otherwise.

    A repeated word shares its attention with itself. How many such sentences a word has, and how often it stands in
    them, are drawn, so words change places.
    """
    rng = np.random.default_rng([seed, 17])
    texts = []
    for emotion in EMOTIONS:
        for word in rng.permutation([*COMMON[emotion], *RARE[emotion]]):
            times = rng.integers(2, 7)
            for _ in range(rng.integers(0, 5)):
                rest = [part for _ in range(times) for part in (word, *rng.choice(FILLERS, size=rng.integers(0, 2)))]
                texts.append(" ".join(["i feel", *rest]))
    return [texts[i] for i in rng.permutation(len(texts))]


def _words() -> list[str]:
    """The vocabulary."""
    return [*(word for word in word_pieces() if word not in LATE_PIECES), *LATE_PIECES.values()]


def _model(place: str, classes: tuple[str, ...]) -> TrustedResult:
    known = draw_known()
    arguments = {
        **SHAPES[place],
        "place": place,
        "texts": list(known.texts),
        "classes": list(classes),
        "words": _words(),
    }
    index = np.array([classes.index(name) for name in EMOTIONS], dtype=np.int64)
    return run_trusted(HERE / "pretrain.py", arguments, {"labels": index[known.labels]})


def _seen(
    where: Mapping[str, Any],
    files: Mapping[str, bytes],
    batches: Mapping[str, list[str]],
    sentences: list[str],
    texts: Mapping[str, list[str]],
) -> TrustedResult:
    arguments = {**where, "batches": dict(batches), "sentences": sentences, "texts": dict(texts)}
    # An operator's model has a digest, and may be large.
    return run_trusted(HERE / "measure.py", arguments, files=files, wall_s=3600, same_bits="digest" not in where)


def _facts(seen: TrustedResult, classes: tuple[str, ...]) -> dict[str, Any]:
    """Rankings, mistakes and effects by place. Raises SpecError if a class has fewer words than are asked for."""
    facts: dict[str, Any] = {}
    for place, ways in seen.facts["rankings"].items():
        rankings = _named(ways, classes)
        short = {name for by in rankings.values() for name, words in by.items() if len(words) < WORDS[place]}
        if short:
            classes_short = ", ".join(sorted(short))
            raise SpecError(
                f"the model predicts {classes_short} for too few of the sentences to rank {WORDS[place]} words",
                "Is it fine-tuned on the emotions, and is id2label in the order of its outputs?",
            )
        named = {classes[int(label)]: words for label, words in seen.facts["effects"][place].items()}
        facts[f"{place}_rankings"] = rankings
        facts[f"{place}_mistakes"] = _named(seen.facts["mistakes"][place], classes)
        facts[f"{place}_effects"] = named if _tells(rankings, named, WORDS[place]) else {}
    return facts


def _tells(rankings: Mapping[str, Mapping[str, list[str]]], effects: Mapping[str, Mapping[str, float]], k: int) -> bool:
    """True if, by every accepted way, hiding the top words moves the prediction more than hiding words on average.

    It holds for the stand-ins. A large BERT may decide by other words than it attends to; then it can't be asked for.
    """
    average = _mean(_mean(by_word.values()) for by_word in effects.values())
    return all(
        _mean(effects[name].get(word, 0.0) for name, words in by.items() for word in words[:k]) > average
        for by in rankings.values()
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _batch(place: str, name: str, seen: TrustedResult) -> Case:
    ids, mask = (seen.arrays[f"{name}_{part}"].astype(np.int64) for part in ("ids", "mask"))
    expected = {"attention": seen.arrays[f"{name}_attention"], "mask": mask}
    given = {"input_ids": ids, "attention_mask": mask}
    return Case((Ref("model", place), given), expected=expected, size=ids.size, label=f"{len(ids)} sentences")


def _sentences(texts: list[str], seen: list[dict[str, Any]]) -> tuple[Case, ...]:
    rows = zip(texts, seen, strict=True)
    made = [
        Case((Ref("model", GIVEN), Ref("tokenizer", GIVEN), text), expected=one, size=len(text), label=text)
        for text, one in rows
    ]
    return tuple(sorted(made, key=lambda case: case.size))


def _ranking(place: str, texts: list[str], k: int) -> Case:
    return Case((Ref("model", place), Ref("tokenizer", place), texts, k), size=len(texts), label=f"{len(texts)} texts")


def _named(ways: Mapping[str, Mapping[str, list[str]]], classes: tuple[str, ...]) -> dict[str, dict[str, list[str]]]:
    """The same with names of classes for their numbers."""
    return {way: {classes[int(label)]: words for label, words in by.items()} for way, by in ways.items()}
