"""attentive_tokens: ranked tokens a class, against every documented way of adding attention up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from autograder.checks._answers import (
    answers,
    by_name,
    overlap_at,
    raised,
    rank_biased_overlap,
    ranking,
    rankings_of,
    word,
)
from autograder.checks._values import number
from autograder.checks.base import Array, CaseList, Check, Context, FactName, Params, failed, partial, passed
from autograder.checks.measures import matrix
from autograder.model import Observation, Outcome, Statistic

SPECIAL = ("[cls]", "[sep]", "[pad]", "[unk]", "[mask]", "<s>", "</s>", "<pad>", "<unk>", "<mask>")


class AttentiveTokensParams(Params):
    """What the rankings are held against."""

    expected: FactName = Field(description="Fact of the data set: {aggregation: {class: [tokens, best first]}}.")
    mistakes: FactName = Field(
        "", description="Fact like it for wrong choices: {what was done wrong: {class: [tokens]}}."
    )
    effects: FactName = Field(
        "",
        description="Fact {class: {token: how much masking it moves the prediction}}; none where this or it is empty.",
    )
    cases: CaseList = Field("", description="List of cases, if the observation does not name it.")
    k: int = Field(5, ge=1, le=100, description="Tokens a class.")
    measure: str = Field("rbo", pattern="^(rbo|topk)$", description="rbo: rank-biased overlap; topk: share in common.")
    min_overlap: float = Field(0.5, gt=0, le=1, description="Mean overlap with the best aggregation that passes.")
    special: tuple[str, ...] = Field(SPECIAL, description="Tokens that may not be ranked.")


class AttentiveTokens(Check):
    """{class: ranked tokens}. The aggregation that fits best over all classes counts, so a defensible choice passes.

    Optional other observations, forward on the same rows: `plain`, `masked` (one attentive token masked in each) and
    `random` (another token masked): the prediction must move more for `masked` than for `random`.
    """

    kind: ClassVar[str] = "attentive_tokens"
    title: ClassVar[str] = "Most attentive tokens"
    probes: ClassVar[frozenset[str]] = frozenset({"calls", "call"})
    optional_roles: ClassVar[Mapping[str, frozenset[str]]] = {
        role: frozenset({"forward"}) for role in ("plain", "masked", "random")
    }
    Params: ClassVar[type[Params]] = AttentiveTokensParams

    def judge(self, observation: Observation, context: Context, params: AttentiveTokensParams) -> Outcome:
        """Form first (every class, no special tokens, whole words), then overlap, then what masking does."""
        given = answers(observation, context, params.cases)
        if (trouble := raised(given, "Call your function yourself with some sentences.")) is not None:
            return trouble
        found = by_name(given[-1].value, context.class_names) if given else {}
        lists = {name: ranking(value) for name, value in found.items()}
        ranked = {name: words[: params.k] for name, words in lists.items() if words is not None}
        missing = [name for name in context.class_names if name not in ranked]
        if not ranked or missing:
            return failed(
                "No ranked tokens came back" + (f" for {', '.join(missing[:6])}." if ranked else "."),
                "Return a dict: class name → list of tokens, the most attentive first.",
            )
        malformed = _form(ranked, params)
        if malformed is not None:
            return failed(*malformed)
        expected = rankings_of(context.facts.get(params.expected))
        scores = {name: _overlap(ranked, by_class, params) for name, by_class in expected.items()}
        best = max(scores, key=lambda name: scores[name])
        value = scores[best]
        measured = Statistic.share("overlap", value, params.min_overlap, "above", "min_overlap")
        evidence = {"closest aggregation": str(best), "overlap": f"{value:.0%}"}
        if not value >= params.min_overlap:
            message, hint = _named(ranked, value, context, params)
            return failed(message, hint, **evidence).measured(measured)
        moved = _effect(ranked, context, params) or _masking(context)
        if moved is not None:
            return partial(0.5, *moved, **evidence).measured(measured)
        return passed(f"The tokens agree with “{best}” ({value:.0%} overlap).", **evidence).measured(measured)


def _form(ranked: Mapping[str, list[str]], params: AttentiveTokensParams) -> tuple[str, str] | None:
    words = {item for items in ranked.values() for item in items}
    if words & {word(token) for token in params.special}:
        return (
            "Special tokens are among the most attentive ones.",
            "Leave out [CLS], [SEP], [PAD] and the like before ranking: they collect attention but carry no word.",
        )
    if any(item.startswith("##") or item.startswith("▁") or item.startswith("ġ") for item in words):
        return (
            "There are word pieces among the tokens.",
            "Merge pieces (##…) into whole words, adding up their scores, before ranking.",
        )
    if any(len(set(items)) < len(items) for items in ranked.values()):
        return "A token stands twice in one class's list.", "Add up a token's scores over all sentences of a class."
    short = [name for name, items in ranked.items() if len(items) < params.k]
    if short:
        return (
            f"Fewer than {params.k} tokens for {', '.join(short[:4])}.",
            f"Return the first {params.k} of each class.",
        )
    return None


def _overlap(ranked: Mapping[str, list[str]], by_class: Mapping[str, Any], params: AttentiveTokensParams) -> float:
    """Mean overlap over classes with one aggregation."""
    measure = rank_biased_overlap if params.measure == "rbo" else overlap_at
    values = [measure(items, [word(t) for t in by_class[name]], params.k) for name, items in ranked.items()]
    return float(np.mean(values))


def _named(
    ranked: Mapping[str, list[str]], value: float, context: Context, params: AttentiveTokensParams
) -> tuple[str, str]:
    """Message and hint for rankings that fit no aggregation; a mistake that fits better is named."""
    message = f"The tokens overlap {value:.0%} with the closest aggregation; {params.min_overlap:.0%} is asked for."
    mistakes = rankings_of(context.facts.get(params.mistakes)) if params.mistakes else {}
    fits = {name: _overlap(ranked, by_class, params) for name, by_class in mistakes.items()}
    if fits and max(fits.values()) > max(value, params.min_overlap):
        return message, f"It looks like this: {max(fits, key=lambda name: fits[name])}."
    return (
        message,
        "Sum the attention a token gets (a column, or the CLS row), in eval mode with the mask, over sentences "
        "grouped by the class that the model predicts.",
    )


def _effect(ranked: Mapping[str, list[str]], context: Context, params: AttentiveTokensParams) -> tuple[str, str] | None:
    """Masking these tokens moves the prediction more than masking any token of that class does on average."""
    effects = rankings_of(context.facts.get(params.effects)) if params.effects else {}
    if not effects:
        return None
    mine, average = [], []
    for name, items in ranked.items():
        of_class = {word(token): number(size) for token, size in effects[name].items()}
        mine += [of_class.get(item, 0.0) for item in items]
        average.append(float(np.mean(list(of_class.values()))))
    if float(np.mean(mine)) > float(np.mean(average)):
        return None
    return "Masking these tokens moves the prediction no more than masking any other.", "Which tokens decide?"


def _masking(context: Context) -> tuple[str, str] | None:
    """The student's own model: the prediction moves more where the attentive token is masked."""
    rows = [_probabilities(context.also.get(role)) for role in ("plain", "masked", "random")]
    if all(r is None for r in rows) and not context.also:
        return None
    plain, masked, random = rows
    if plain is None or masked is None or random is None or not plain.shape == masked.shape == random.shape:
        return "The predictions with masked tokens could not be compared.", "Return logits (N, C) for every batch."
    moved, by_chance = (float(np.abs(plain - other).sum(axis=1).mean()) for other in (masked, random))
    if moved > by_chance:
        return None
    return "Masking the attentive token moves the prediction no more than masking a random one.", "Which tokens decide?"


def _probabilities(observation: Observation | None) -> Array | None:
    outputs = observation.values.get("outputs") if observation is not None else None
    first = outputs[0] if type(outputs) is list and outputs else None
    logits = matrix(first, len(first)) if isinstance(first, np.ndarray) and first.ndim == 2 else None
    if logits is None or not np.isfinite(logits).all():
        return None
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
