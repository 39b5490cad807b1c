"""Data of ccds-attentive-tokens: two small BERTs trained here, sentences, and what the models attend to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograder.specs.dataset import Case, DataSet, Ref
from autograder.specs.standins.sentences import EMOTIONS, FILLERS, Sentences, draw, word_pieces
from autograder.specs.trusted import TrustedResult, run_trusted

HERE = Path(__file__).parent
GIVEN, OTHER = "hub/default", "hub/other"
SHAPES = {GIVEN: {"layers": 2, "heads": 4, "epochs": 10}, OTHER: {"layers": 3, "heads": 2, "epochs": 4}}
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


def build(name: str, _data_dir: Path | None, seed: int) -> DataSet | None:
    """The stand-in, or None for any other name. The models are the same under every seed, the hidden texts are not."""
    if name != "standin":
        return None
    models = {place: _model(place) for place in SHAPES}
    files = {path: content for made in models.values() for path, content in made.files.items()}
    rng = np.random.default_rng(seed)
    texts = {"public": _texts(90, 5), "hidden": _texts(240, rng)}
    sentences = [*PUBLIC_TEXTS, *_texts(40, rng)]
    batches = {"small": list(PUBLIC_TEXTS[:3]), "hidden": _texts(5, rng), "pair": _texts(2, rng)}
    seen = _seen(GIVEN, models, batches, sentences, texts)
    other_texts = _texts(90, rng)
    other = _seen(OTHER, models, {"other": _texts(4, rng)}, [], {"other": other_texts})
    split = len(PUBLIC_TEXTS)
    cases = {
        "public_batches": (_batch(GIVEN, "small", seen),),
        "batches": (_batch(GIVEN, "pair", seen), _batch(GIVEN, "hidden", seen)),
        "other_batches": (_batch(OTHER, "other", other),),
        "public_sentences": _sentences(sentences[:split], seen.facts["sentences"][:split]),
        "sentences": _sentences(sentences[split:], seen.facts["sentences"][split:]),
        "public_texts": (_ranking(GIVEN, texts["public"], 6),),
        "texts": (_ranking(GIVEN, texts["hidden"], 12),),
        "other_texts": (_ranking(OTHER, other_texts, 8),),
    }
    facts = {
        f"{place}_{kind}": _named(value)
        for made in (seen, other)
        for kind in ("rankings", "mistakes")
        for place, value in made.facts[kind].items()
    }
    facts |= {
        f"{place}_effects": {EMOTIONS[int(label)]: words for label, words in value.items()}
        for made in (seen, other)
        for place, value in made.facts["effects"].items()
    }
    hidden = frozenset({"batches", "other_batches", "sentences", "texts", "other_texts"})
    return DataSet(name, {}, hidden, class_names=EMOTIONS, cases=cases, files=files, facts=facts)


def _texts(count: int, seed: int | np.random.Generator) -> list[str]:
    """Sentences, a fifth of them without any emotion: there special tokens get most of the attention."""
    rng = np.random.default_rng(seed)
    neutral = [" ".join(rng.choice(FILLERS, size=rng.integers(2, 7))) for _ in range(count // 5)]
    texts = [*draw(count - len(neutral), rng, rare_share=0.3).texts, *neutral]
    return [texts[i] for i in rng.permutation(count)]


def _words() -> list[str]:
    """The vocabulary."""
    return [*(word for word in word_pieces() if word not in LATE_PIECES), *LATE_PIECES.values()]


def _model(place: str) -> TrustedResult:
    known: Sentences = draw(4000, np.random.default_rng(2), rare_share=0.35)
    arguments = {
        **SHAPES[place],
        "place": place,
        "texts": list(known.texts),
        "classes": list(EMOTIONS),
        "words": _words(),
        "seed": 2,
    }
    return run_trusted(HERE / "pretrain.py", arguments, {"labels": known.labels})


def _seen(
    place: str,
    models: Mapping[str, TrustedResult],
    batches: Mapping[str, list[str]],
    sentences: list[str],
    texts: Mapping[str, list[str]],
) -> TrustedResult:
    arguments = {"model": place, "batches": dict(batches), "sentences": sentences, "texts": dict(texts)}
    return run_trusted(HERE / "measure.py", arguments, files=models[place].files)


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


def _named(ways: Mapping[str, Mapping[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """The same with names of classes for their numbers."""
    return {way: {EMOTIONS[int(label)]: words for label, words in by.items()} for way, by in ways.items()}
