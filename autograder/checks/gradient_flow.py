"""gradient_flow: one backward pass reaches every trainable parameter."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import Field

from autograder.checks._operations import ordinal
from autograder.checks._values import is_clean, number, rows, text
from autograder.checks.base import Check, Context, Params, failed, partial, passed
from autograder.model import Observation, Outcome, Statistic


class GradientFlowParams(Params):
    """What counts as reached."""

    min_norm: float = Field(1e-10, ge=0, description="A gradient norm at or below this counts as none.")
    may_be_unused: tuple[str, ...] = Field((), description="Parameter names that need no gradient.")


class GradientFlow(Check):
    """Every parameter gets a finite gradient above `min_norm`. The norms are the student process's own word."""

    kind: ClassVar[str] = "gradient_flow"
    title: ClassVar[str] = "Gradients reach every layer"
    probes: ClassVar[frozenset[str]] = frozenset({"gradient_norms"})
    Params: ClassVar[type[Params]] = GradientFlowParams

    def judge(self, observation: Observation, _context: Context, params: GradientFlowParams) -> Outcome:
        """Share of the parameters reached; none at all if any gradient is not finite."""
        parameters = rows(observation.values.get("parameters"))
        named = [(text(r.get("name")) or "?", _norm(r.get("norm"))) for r in parameters]
        named = [(name, norm) for name, norm in named if name not in params.may_be_unused]
        if not named:
            return failed("Your model has no trainable parameters.", "Create the layers in __init__ as attributes.")
        told = is_clean(observation)  # a process could say something with how many there are, and with which
        evidence = {"plots": [_plot(named)]} if told else {}
        broken = [name for name, norm in named if norm is not None and not math.isfinite(norm)]
        if broken:
            return failed(
                f"The gradient of {_names(broken, named, told)} is NaN or infinite.",
                "Look for a logarithm or division of zero in forward.",
                **evidence,
            )
        least = min(norm or 0.0 for _, norm in named)
        found = [Statistic("smallest norm", least, params.min_norm, "above", "min_norm")] if params.min_norm > 0 else []
        missed = [name for name, norm in named if not (norm is not None and norm > params.min_norm)]
        if missed:
            count = f" ({len(missed)} of {len(named)} parameters)" if told else ""
            return partial(
                0.0 if len(missed) == len(named) else 0.5 * (1 - len(missed) / len(named)),
                f"No gradient reaches {_names(missed, named, told)}{count}.",
                "Is each layer used in forward? Is there a detach(), .data, no_grad() or numpy round trip in the way, "
                "or a requires_grad=False?",
                **evidence,
            ).measured(*found)
        if not told:
            return passed("All parameters get a gradient.").measured(*found)
        (first, begins), (last, ends) = named[0], named[-1]
        norms = f"{_drawable(begins)} at {first}, {_drawable(ends)} at {last}"
        return passed(f"All {len(named)} parameters get a gradient (norm {norms}).", **evidence).measured(*found)


def _norm(value: Any) -> float | None:
    """The norm, NaN if it can't be one, or None where there is no gradient."""
    return None if value is None else number(value)


def _names(names: list[str], named: list[tuple[str, float | None]], told: bool) -> str:
    """Some of the names; where they may not be told, the place of the first among all."""
    if not told:
        place = next(i for i, (name, _) in enumerate(named, start=1) if name == names[0])
        return f"the {ordinal(place, told=False)} of your parameters" + (" and others" if len(names) > 1 else "")
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _plot(named: list[tuple[str, float | None]]) -> dict[str, Any]:
    values = [_drawable(norm) for _, norm in named]
    return {
        "kind": "bars",
        "title": "Gradient norm of each parameter before training",
        "labels": [name for name, _ in named][:40],
        "values": values[:40],
        "log": True,
    }


def _drawable(norm: float | None) -> float | None:
    """A norm to one digit, between 1e-12 and 1e6: enough for a picture, too little to carry hidden inputs out."""
    if norm is None or not math.isfinite(norm):
        return None
    return float(f"{min(max(norm, 1e-12), 1e6):.0e}") if norm > 0 else 0.0
