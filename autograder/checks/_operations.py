"""The operations of a trace, their names in words, and a small pattern language over them.

A pattern is a sequence of names: operations (`conv2d`), families (`conv`, `pool`), `any`; `( … )` groups, `[ … ]` may
be missing, `a | b` is either, and `{n}`, `{m,n}`, `?`, `*`, `+` after a name or group repeat it:
`(conv relu){2} pool flatten (linear [dropout] sigmoid){2} linear`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

OPERATIONS = {
    "conv1d": "1-D convolution",
    "conv2d": "convolution",
    "conv_transpose2d": "transposed convolution",
    "linear": "linear layer",
    "matmul": "matrix product",
    "bmm": "batched matrix product",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "gelu": "GELU",
    "elu": "ELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softmax": "softmax",
    "log_softmax": "log-softmax",
    "dropout": "dropout",
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "max_pool": "max pooling",
    "avg_pool": "average pooling",
    "adaptive_avg_pool": "adaptive average pooling",
    "flatten": "flatten",
    "embedding": "embedding",
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn": "RNN",
    "attention": "attention",
    "add": "addition",
    "cat": "concatenation",
    "mean": "mean",
}
FAMILIES = {
    "conv": ("conv1d", "conv2d"),
    "pool": ("max_pool", "avg_pool", "adaptive_avg_pool"),
    "norm": ("batch_norm", "layer_norm", "group_norm"),
    "activation": ("relu", "leaky_relu", "gelu", "elu", "silu", "sigmoid", "tanh"),
    "recurrent": ("lstm", "gru", "rnn"),
    "any": tuple(OPERATIONS),
}
_FAMILY_WORDS = {
    "conv": "convolution",
    "pool": "pooling",
    "norm": "normalisation",
    "activation": "an activation",
    "recurrent": "recurrent layer",
    "any": "any operation",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\{\s*\d+\s*(?:,\s*\d*\s*)?\}|[()\[\]|?*+])")
_MOST_STATES = 2000


class PatternError(ValueError):
    """A pattern that can't be read; says where and why."""


def members(name: str) -> tuple[str, ...]:
    """The operations a name stands for. Raises PatternError for one that doesn't exist."""
    if name in OPERATIONS:
        return (name,)
    if name in FAMILIES:
        return FAMILIES[name]
    near = get_close_matches(name, [*OPERATIONS, *FAMILIES], n=1)
    raise PatternError(f"'{name}' is no operation." + (f" Did you mean '{near[0]}'?" if near else ""))


def in_words(name: str) -> str:
    """An operation or family as a student reads it."""
    return _FAMILY_WORDS.get(name) or OPERATIONS.get(name, "an unknown operation")


def ordinal(number: int, *, told: bool = True) -> str:
    """1 → first. A high one that may not be told could carry hidden inputs out; the first ten are too few for that."""
    if 0 < number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    return f"{number}th" if told else "eleventh or later"


@dataclass
class _State:
    """A state of the automaton: it takes one operation on to `then`, or is left freely to `free`."""

    name: str = ""
    then: int = -1
    free: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """Where a sequence leaves a pattern. at: index of the operation; len(sequence) if it ends too early."""

    at: int
    expected: tuple[str, ...]  # names the pattern would take there; empty: it would end
    needed: tuple[str, ...] = ()  # those of them that it can't go on without


class Pattern:
    """A pattern, ready to be matched. Raises PatternError if the text can't be read."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._states: list[_State] = []
        start, end = self._either()
        if self._at < len(self._tokens):
            raise PatternError(f"there is no opening bracket for '{self._tokens[self._at]}'")
        self._start, self._end = start, end

    @property
    def names(self) -> tuple[str, ...]:
        """Every operation and family named in it."""
        return tuple(dict.fromkeys(s.name for s in self._states if s.name))

    def difference(self, sequence: Sequence[str]) -> Difference | None:
        """The first place where no reading of the pattern goes on, or None if it matches as a whole."""
        now = self._closure({self._start})
        for at, operation in enumerate(sequence):
            after = {s.then for s in self._at_states(now) if operation in members(s.name)}
            if not after:
                return Difference(at, self._wanted(now), self._needed(now))
            now = self._closure(after)
        return None if self._end in now else Difference(len(sequence), self._wanted(now), self._needed(now))

    def _at_states(self, now: set[int]) -> list[_State]:
        return [self._states[i] for i in sorted(now) if self._states[i].name]

    def _wanted(self, now: set[int]) -> tuple[str, ...]:
        return () if self._end in now else tuple(dict.fromkeys(s.name for s in self._at_states(now)))

    def _needed(self, now: set[int]) -> tuple[str, ...]:
        """Names without those that may be missing: whose successors could come now as well."""
        open_to = {i for i in now if self._states[i].name or i == self._end}
        skipped = set()
        for state in self._at_states(now):
            after = self._closure({state.then})
            if {i for i in after if self._states[i].name or i == self._end} <= open_to:
                skipped.add(state.name)
        return tuple(name for name in self._wanted(now) if name not in skipped)

    def _closure(self, states: set[int]) -> set[int]:
        seen, todo = set(states), list(states)
        while todo:
            new = [n for n in self._states[todo.pop()].free if n not in seen]
            seen.update(new)
            todo.extend(new)
        return seen

    def _new(self) -> int:
        if len(self._states) >= _MOST_STATES:
            raise PatternError("the pattern is too long once its repeats are written out")
        self._states.append(_State())
        return len(self._states) - 1

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _either(self) -> tuple[int, int]:
        start, end = self._new(), self._new()
        while True:
            first, last = self._sequence()
            self._states[start].free.append(first)
            self._states[last].free.append(end)
            if self._peek() != "|":
                return start, end
            self._at += 1

    def _sequence(self) -> tuple[int, int]:
        start = last = self._new()
        while self._peek() not in ("", ")", "]", "|"):
            first, end = self._repeated()
            self._states[last].free.append(first)
            last = end
        return start, last

    def _repeated(self) -> tuple[int, int]:
        begin = self._at
        self._item()  # read once to find its end; read again for every copy
        stop = self._at
        low, high = _repeats(self._peek())
        mark = self._peek()
        start = last = self._new()
        for copy in range(max(low, 1) if high is None else high):
            self._at = begin
            first, end = self._item()
            self._states[last].free.append(first)
            after = self._new()
            self._states[end].free.append(after)
            if copy >= low:
                self._states[last].free.append(after)
            if high is None and copy == max(low, 1) - 1:
                self._states[end].free.append(first)
            last = after
        self._at = stop + (1 if mark and mark[0] in "{?*+" else 0)
        return start, last

    def _item(self) -> tuple[int, int]:
        word = self._peek()
        self._at += 1
        if word in ("(", "["):
            start, end = self._either()
            if self._peek() != {"(": ")", "[": "]"}[word]:
                raise PatternError(f"a '{word}' is not closed")
            self._at += 1
            if word == "[":
                self._states[start].free.append(end)
            return start, end
        if not word or not (word[0].isalpha() or word[0] == "_"):
            raise PatternError(f"a name was expected before '{word}'")
        members(word)
        start, end = self._new(), self._new()
        self._states[start].name, self._states[start].then = word, end
        return start, end


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PatternError(f"'{text[at:].strip()[:20]}' can't be read")
        found.append(match[1])
        at = match.end()
    if not found:
        raise PatternError("the pattern is empty")
    return found


def _repeats(mark: str) -> tuple[int, int | None]:
    """(least, most) of a repeat mark; most is None for any number."""
    if mark in ("?", "*", "+"):
        return {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark]
    if not mark.startswith("{"):
        return 1, 1
    low, comma, high = mark[1:-1].replace(" ", "").partition(",")
    if not comma:
        return int(low), int(low)
    if high and int(high) < int(low):
        raise PatternError(f"{mark} repeats less often at most than at least")
    return int(low), int(high) if high else None
