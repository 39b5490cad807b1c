"""A check of this task alone: one-hot vectors go into the LSTM as they are, and stay so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._values import is_clean, rows, shape, text
from autograder.checks._weights import Weight, weights_of
from autograder.checks.base import Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome

_RECURRENT = ("weight_ih", "weight_hh")  # torch's names; 4 · 250 gates may be as many as there are words


class OneHotInputParams(Params):
    """How long a one-hot vector is."""

    words: int = Field(ge=2, description="The vocab_size that the model was built with.")


class OneHotInput(Check):
    """The LSTM's input is as wide as the vocabulary, and nothing that trains has a row for each word.

    The trace is the process's own word.
    """

    kind: ClassVar[str] = "one_hot_input"
    title: ClassVar[str] = "The LSTM reads one-hot vectors"
    probes: ClassVar[frozenset[str]] = frozenset({"trace"})
    Params: ClassVar[type[Params]] = OneHotInputParams

    def judge(self, observation: Observation, _context: Context, params: OneHotInputParams) -> Outcome:
        """The width first, then what trains."""
        told = is_clean(observation)
        first = next((row for row in rows(observation.values.get("ops")) if text(row.get("op")) == "lstm"), None)
        if first is None:
            return failed("There is no LSTM that could read one-hot vectors.", "Give the one-hot vectors to an LSTM.")
        width = _width(first)
        if width != params.words:
            got = f", those that it reads have {width}" if told and width is not None else ""
            return failed(
                f"The LSTM's vectors should have vocab_size = {params.words} numbers each{got}.",
                "The one-hot vector of a word has vocab_size entries, so the LSTM has vocab_size inputs: "
                "nn.LSTM(vocab_size, …), with no linear layer before it.",
            )
        types = {text(row.get("name")): text(row.get("type")) for row in rows(observation.values.get("modules"))}
        listed = weights_of(rows(observation.values.get("parameters")))
        table = next((weight for weight in listed if _is_table(weight, types, params.words)), None)
        if table is not None:
            named = f" ({table.name})" if told and table.name else ""
            return failed(
                f"A matrix with a row for each word trains{named}: that is a learned embedding, no one-hot vectors.",
                "One-hot vectors never train: take nn.functional.one_hot(…).float(), or torch.eye(vocab_size) as a "
                "plain tensor or buffer, not as an nn.Parameter.",
            )
        return passed(f"The LSTM reads vectors of {params.words} numbers, and they stay as they are.")


def _width(row: Mapping[str, Any]) -> int | None:
    """Last axis of an operation's input, None if it can't be read."""
    given = row.get("in")
    sizes = shape(given[0]) if type(given) is list and given else None
    return sizes[-1] if sizes else None


def _is_table(weight: Weight, types: Mapping[str, str], words: int) -> bool:
    """Whether a parameter that trains holds a row for each word. A linear layer with as many outputs does not."""
    module, _, name = weight.name.rpartition(".")
    if not weight.trainable or len(weight.shape) != 2 or weight.shape[0] != words or name.startswith(_RECURRENT):
        return False
    return types.get(module) != "Linear" or weight.shape[1] == words
