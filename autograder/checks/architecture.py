"""architecture: the model's operations come in the order that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from autograder.checks._demands import Demand, outcome_of
from autograder.checks._operations import FAMILIES, OPERATIONS, Difference, Pattern, in_words, members, ordinal
from autograder.checks._values import count_words, is_clean, number, rows, shape, text, whole
from autograder.checks.base import Check, Context, Params, failed
from autograder.model import Observation, Outcome

_ASIDE = ("add", "cat", "mean", "matmul", "bmm")  # arithmetic that is written in many ways
Operations = Sequence[Mapping[str, Any]]
_STORED = {
    *FAMILIES["conv"],
    *FAMILIES["pool"],
    *FAMILIES["recurrent"],
    "linear",
    "embedding",
    "flatten",
    "conv",
    "pool",
}
_COUNT = "Compare the layers that forward runs with the handout, one by one."


class ArchitectureParams(Params):
    """What the order, the numbers and the settings of operations must be."""

    pattern: str = Field(
        "",
        description="The order, such as `(conv relu){2} pool flatten linear [dropout] linear`; `a | b` is either, "
        f"`[a]` may be missing. Operations: {', '.join(OPERATIONS)}; families: {', '.join(FAMILIES)}.",
    )
    look_at: tuple[str, ...] = Field(
        (),
        description="Only these operations are compared with the pattern. Default: all that the pattern names, and all "
        "others but add, cat, mean, matmul and bmm.",
    )
    counts: dict[str, int | tuple[int, int | None]] = Field(
        default_factory=dict,
        description="How many calls of an operation or family: a number, or [least, most]; null: any number, as where "
        "a loop over sentences or steps is right, too.",
    )
    never: tuple[str, ...] = Field((), description="Operations that must not occur.")
    extras: dict[str, dict[str, float | bool | tuple[float | bool, ...]]] = Field(
        default_factory=dict,
        description="Settings of an operation (`dropout: {p: 0.5}`, `batch_norm: {affine: true}`): one value for all "
        "of them, or a list in order.",
    )
    widths: dict[str, tuple[int | None, ...]] = Field(
        default_factory=dict,
        description="Output channels or features of each operation of a kind in order; null: any.",
    )
    partial: bool = Field(False, description="Points for the share of demands that hold; otherwise all or none.")

    @field_validator("pattern")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value:
            Pattern(value)
        return value

    @field_validator("look_at", "never", "counts", "extras", "widths")
    @classmethod
    def _known(cls, value: Any) -> Any:
        for name in value:
            members(name)
        return value


class Architecture(Check):
    """Compares a trace with a pattern; layers and functions count alike. The trace is the process's own word."""

    kind: ClassVar[str] = "architecture"
    title: ClassVar[str] = "Order of the layers"
    probes: ClassVar[frozenset[str]] = frozenset({"trace"})
    Params: ClassVar[type[Params]] = ArchitectureParams

    def judge(self, observation: Observation, _context: Context, params: ArchitectureParams) -> Outcome:
        """Name the first difference in words."""
        operations = [row for row in rows(observation.values.get("ops")) if text(row.get("op")) in OPERATIONS]
        if not operations:
            return failed(
                "No operation of your model could be seen.",
                "Build the model from torch's layers and functions, and use them in forward.",
            )
        told = is_clean(observation)  # how often, how late and in which module something ran could be hidden inputs
        extras = [(op, key, value) for op, wanted in params.extras.items() for key, value in wanted.items()]
        demands = [
            *_order(operations, params, told),
            *(_count(operations, name, wanted, told) for name, wanted in params.counts.items()),
            *(_never(operations, name, told) for name in params.never),
            *(_extra(operations, op, key, value, told) for op, key, value in extras),
            *(_widths(operations, name, wanted, told) for name, wanted in params.widths.items()),
        ]
        seen = " → ".join(in_words(row["op"]) for row in operations[:40])
        evidence = {"your model": seen + (" → …" if len(operations) > 40 else "")} if told else {}
        return outcome_of(demands, "The operations come in the order asked for.", share=params.partial, **evidence)


def _order(operations: Operations, params: ArchitectureParams, told: bool) -> list[Demand]:
    if not params.pattern:
        return []
    pattern = Pattern(params.pattern)
    named = {op for name in (*params.look_at, *pattern.names) if name != "any" for op in members(name)}
    seen = [row for row in operations if row["op"] in named or not (params.look_at or row["op"] in _ASIDE)]
    # To reshape twice changes nothing.
    seen = [row for i, row in enumerate(seen) if not (row["op"] == "flatten" and i and seen[i - 1]["op"] == "flatten")]
    difference = pattern.difference([row["op"] for row in seen])
    if difference is None:
        return [Demand()]
    return [Demand(_words(seen, difference, told), _advice(seen, difference))]


def _words(seen: Operations, difference: Difference, told: bool) -> str:
    """Such as: After the second linear layer: sigmoid expected, ReLU found."""
    at = difference.at
    if at == 0:
        place = "At the beginning"
    else:
        before = seen[at - 1]["op"]
        nth = ordinal(sum(row["op"] == before for row in seen[:at]), told=told)
        place = f"After the {nth} {in_words(before)}"
        module = text(seen[at - 1].get("module"), 60) if told else ""
        place += f" ({module})" if module else ""
    expected = " or ".join(in_words(name) for name in difference.expected[:4]) or "nothing more"
    found = in_words(seen[at]["op"]) if at < len(seen) else "the end"
    return f"{place}: {expected} expected, {found} found."


def _advice(seen: Operations, difference: Difference) -> str:
    found = seen[difference.at]["op"] if difference.at < len(seen) else ""
    if found in ("softmax", "log_softmax") and not difference.expected:
        return "Return the logits: CrossEntropyLoss applies log-softmax itself."
    later = {row["op"] for row in seen[difference.at :]}
    missing = [name for name in difference.needed if not later & set(members(name))]
    if missing:
        words = in_words(missing[0])
        by_hand = "" if missing[0] in _STORED else " Torch's own is meant: a formula written by hand is not recognised."
        return f"{words[0].upper() + words[1:]} is missing there: is it used in forward?{by_hand}"
    return "Compare the order of the calls in your forward (or of the layers in nn.Sequential) with the handout."


def _of(operations: Operations, name: str) -> list[Mapping[str, Any]]:
    return [row for row in operations if row["op"] in members(name)]


def _times(name: str, asked: str, found: int, least: int, told: bool) -> str:
    """That an operation occurs another number of times than asked for."""
    times = f"{found} times" if told else f"{count_words(found, least, told=False)} of them"
    return f"{in_words(name)}: {asked} times expected, found {times}."


def _count(operations: Operations, name: str, wanted: int | tuple[int, int | None], told: bool) -> Demand:
    low, high = (wanted, wanted) if isinstance(wanted, int) else wanted
    found = len(_of(operations, name))
    if low <= found and (high is None or found <= high):
        return Demand()
    if not found and high is None:
        hint = f"Torch's own {in_words(name)} is meant: make it in __init__, and use it in forward."
        return Demand(f"There is no {in_words(name)} in forward.", hint)
    asked = f"at least {low}" if high is None else str(low) if low == high else f"{low} to {high}"
    return Demand(_times(name, asked, found, low, told), "Compare with the handout's list.")


def _never(operations: Operations, name: str, told: bool) -> Demand:
    found = _of(operations, name)
    if not found:
        return Demand()
    where = text(found[0].get("module"), 60) if told else ""
    words = f"{in_words(found[0]['op'])} must not be used" + (f" ({where})." if where else ".")
    return Demand(words, "Take it out of forward; the handout says what stands there instead.")


def _extra(operations: Operations, name: str, key: str, wanted: Any, told: bool) -> Demand:
    found = _of(operations, name)
    if not found:
        return Demand(f"There is no {in_words(name)}.", "Is it used in forward, and in the mode that is looked at?")
    each = wanted if isinstance(wanted, tuple) else (wanted,) * len(found)
    if len(each) != len(found):
        return Demand(_times(name, str(len(each)), len(found), len(each), told), _COUNT)
    for i, (row, value) in enumerate(zip(found, each, strict=True)):
        if not _same(row.get(key), value):
            return Demand(
                f"The {ordinal(i + 1, told=told)} {in_words(row['op'])} must have {key} = {_setting(value)}.",
                "Set it where the layer is made.",
            )
    return Demand()


def _setting(value: float | bool) -> str:
    return str(value) if isinstance(value, bool) else f"{value:g}"


def _same(value: Any, wanted: float | bool) -> bool:
    if isinstance(wanted, bool):
        return value is wanted
    return abs(number(value) - wanted) <= 1e-6 * max(1.0, abs(wanted))


def _widths(operations: Operations, name: str, wanted: tuple[int | None, ...], told: bool) -> Demand:
    found = _of(operations, name)
    if len(found) != len(wanted):
        return Demand(_times(name, str(len(wanted)), len(found), len(wanted), told), _COUNT)
    for i, (row, value) in enumerate(zip(found, wanted, strict=True)):
        if value is not None and _width(row) != value:
            return Demand(
                f"The {ordinal(i + 1, told=told)} {in_words(row['op'])} must give {value} values (channels or "
                "features).",
                "Check its number of outputs in __init__.",
            )
    return Demand()


def _width(row: Mapping[str, Any]) -> int | None:
    """Channels of an image operation (axis 1), otherwise the last axis; None if the shape can't be read."""
    given = row.get("out")
    first = given[0] if type(given) is list and given else None
    sizes = shape(first) if type(first) in (list, tuple) else shape(given)
    if not sizes or len(sizes) < 2:
        return None
    channels = row["op"] in (*members("conv"), *members("pool"), "conv_transpose2d", "batch_norm", "group_norm")
    return whole(sizes[1] if channels else sizes[-1])
