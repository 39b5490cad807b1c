"""Draws the plots a check leaves in its evidence: loss curves, confusion matrices, bars. Evidence is untrusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from api.dashboard.svg import Drawing, finite, readable, sequence, shorten, ticks

MAX_SERIES = 4
MAX_POINTS = 500
MAX_CLASSES = 30
MAX_BARS = 40


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawn plot, and its numbers as a table for those who can't see it."""

    svg: Markup
    caption: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def draw(plot: object) -> Plot | None:
    """The plot drawn, or None for something that is no plot of a known kind or holds nothing to draw."""
    if not isinstance(plot, Mapping):
        return None
    kind = plot.get("kind")
    title = shorten(plot.get("title", ""), 80)
    if kind == "loss_curve":
        curves = _curves(plot)
        if not curves or not any(len(values) for _, values in curves):
            return None
        steps = _steps(plot, max(len(values) for _, values in curves))
        rows = [
            (shorten(step, 12), *(readable(values[i]) if i < len(values) else "" for _, values in curves))
            for i, step in enumerate(steps)
        ]
        head = (shorten(plot.get("x_label", "step"), 30), *(name for name, _ in curves))
        return Plot(loss_curve_svg(plot), title, head, tuple(rows))
    if kind == "confusion_matrix":
        return Plot(confusion_matrix_svg(plot), title) if _matrix(plot) else None
    if kind == "bars":
        bars = _bars(plot)
        title += " (log scale)" if plot.get("log") else ""
        return Plot(bars_svg(plot), title, ("", "value"), tuple((n, readable(v)) for n, v in bars)) if bars else None
    return None


# ------------------------------------------------------------------------------------------------------- loss curve

_WIDTH, _HEIGHT = 640.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 18.0, 40.0, 46.0


def loss_curve_svg(plot: Mapping[str, Any]) -> Markup:
    """Lines over steps. `series`: name → values, None where a value was not finite (drawn as a cross on top)."""
    curves = _curves(plot)
    length = max((len(values) for _, values in curves), default=0)
    steps = _steps(plot, length)
    scale = _Scale([v for _, values in curves for v in values if v is not None])
    title = shorten(plot.get("title", "Loss"), 80)
    drawing = Drawing(_WIDTH, _HEIGHT, title, _describe(curves), "loss-curve")
    _axes(drawing, scale, steps, plot)
    for index, (name, values) in enumerate(curves):
        _legend(drawing, index, name, _LEFT + 150 * index)
        points = [(_x(i, length), None if v is None else _y(scale(v))) for i, v in enumerate(values)]
        for run in _runs(points):
            drawing.add("polyline", f"line s{index}", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in run))
        for i, (x, y) in enumerate(points):
            tip = f"{name}, {steps[i]}: {readable(values[i])}"
            if y is None:
                d = f"M{x - 4:.1f} {_TOP + 4}l8 8m0 -8l-8 8"
                drawing.add("path", "missing", tip=tip, d=d)
            elif length <= 60:
                _marker(drawing, index, x, y, tip)
    return drawing.done()


class _Scale:
    """Maps losses to 0..1; logarithmic where they span more than three powers of ten."""

    def __init__(self, values: list[float]) -> None:
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        self.log = low > 0 and high / low > 1000
        if self.log:
            low, high = math.log10(low), math.log10(high)
        spread = max(high - low or abs(high) or 1.0, 1e-200)  # of less there is no logarithm
        self.low, self.high = low - 0.06 * spread, high + 0.06 * spread
        if not self.log and low >= 0:
            self.low = max(self.low, 0.0)

    def __call__(self, value: float) -> float:
        return ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """Positions and labels of the ticks."""
        if self.log:
            exponents = [tick for tick in ticks(self.low, self.high) if tick == int(tick)]
            return [((tick - self.low) / (self.high - self.low), f"1e{int(tick)}") for tick in exponents]
        return [((tick - self.low) / (self.high - self.low), readable(tick)) for tick in ticks(self.low, self.high)]


def _axes(drawing: Drawing, scale: _Scale, steps: list[str], plot: Mapping[str, Any]) -> None:
    for share, label in scale.marks():
        drawing.add("line", "grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_y(share), y2=_y(share))
        drawing.text(_LEFT - 8, _y(share) + 4, label, "tick end")
    every = max(1, math.ceil(len(steps) / 12))
    for index in range(0, len(steps), every):
        drawing.text(_x(index, len(steps)), _HEIGHT - _BOTTOM + 18, shorten(steps[index], 8), "tick middle")
    drawing.add("line", "axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_HEIGHT - _BOTTOM, y2=_HEIGHT - _BOTTOM)
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    drawing.text(middle, _HEIGHT - 8, shorten(plot.get("x_label", ""), 40), "label middle")
    y_label = shorten(plot.get("y_label", ""), 30) + (" (log scale)" if scale.log else "")
    centre = (_TOP + _HEIGHT - _BOTTOM) / 2
    drawing.text(14, centre, y_label, "label middle", transform=f"rotate(-90 14 {centre:.0f})")


def _legend(drawing: Drawing, index: int, name: str, x: float) -> None:
    drawing.add("line", f"line s{index}", x1=x, x2=x + 26, y1=18, y2=18)
    _marker(drawing, index, x + 13, 18, "")
    drawing.text(x + 34, 22, shorten(name, 16), "legend")


def _marker(drawing: Drawing, index: int, x: float, y: float, tip: str) -> None:
    """Series differ in shape as well as in colour."""
    if index % 2:
        drawing.add("rect", f"mark s{index}", tip=tip, x=x - 3.2, y=y - 3.2, width=6.4, height=6.4)
    else:
        drawing.add("circle", f"mark s{index}", tip=tip, cx=x, cy=y, r=3.6)


def _x(index: int, length: int) -> float:
    inner = _WIDTH - _LEFT - _RIGHT - 24
    return _LEFT + 12 + (inner / 2 if length < 2 else inner * index / (length - 1))


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def _runs(points: list[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Stretches of points without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if len(run) > 1]


def _curves(plot: Mapping[str, Any]) -> list[tuple[str, list[float | None]]]:
    series = plot.get("series")
    if not isinstance(series, Mapping):
        return []
    return [
        (shorten(name, 30), [finite(value) for value in sequence(values, MAX_POINTS)])
        for name, values in list(series.items())[:MAX_SERIES]
    ]


def _steps(plot: Mapping[str, Any], length: int) -> list[str]:
    given = [shorten(value, 12) for value in sequence(plot.get("x"), MAX_POINTS)]
    return [given[i] if i < len(given) else str(i) for i in range(length)]


def _describe(curves: list[tuple[str, list[float | None]]]) -> str:
    parts = [
        f"{name}: from {readable(values[0])} to {readable(values[-1])} in {len(values)} points"
        for name, values in curves
        if values
    ]
    return "; ".join(parts) or "nothing to draw"


# ------------------------------------------------------------------------------------------------- confusion matrix


def confusion_matrix_svg(plot: Mapping[str, Any]) -> Markup:
    """Rows are true classes, columns predicted ones; a cell is the darker the larger its share of the row."""
    matrix = _matrix(plot)
    size = len(matrix)
    labels = [shorten(label, 14) for label in sequence(plot.get("labels"), size)]
    labels += [str(i) for i in range(len(labels), size)]
    cell = 44.0 if size <= 8 else 36.0 if size <= 12 else 24.0
    left = 40 + 7.2 * max((len(label) for label in labels), default=1)
    top = 34 + (5.4 * max((len(label) for label in labels), default=1))
    right = sum(row[i] for i, row in enumerate(matrix))
    total = sum(sum(row) for row in matrix)
    text = f"{right} of {total} on the diagonal. " + "; ".join(
        f"{labels[i]}: {row[i]} of {sum(row)} right" for i, row in enumerate(matrix)
    )
    title = shorten(plot.get("title", "Confusion matrix"), 80)
    width, height = left + cell * size + 30, top + cell * size + 12
    drawing = Drawing(width, height, title, text, "confusion")
    drawing.text(left + cell * size / 2, 14, "predicted", "label middle")
    centre = top + cell * size / 2
    drawing.text(12, centre, "true class", "label middle", transform=f"rotate(-90 12 {centre:.0f})")
    for i, row in enumerate(matrix):
        x, y = left + cell * (i + 0.5), top + cell * (i + 0.5)
        drawing.text(left - 8, y + 4, labels[i], "tick end")
        drawing.text(x, top - 8, labels[i], "tick", transform=f"rotate(-45 {x:.1f} {top - 8:.1f})")
        for j, count in enumerate(row):
            share = count / sum(row) if count else 0.0
            tip = f"true {labels[i]}, predicted {labels[j]}: {count} ({share:.0%})"
            _cell(drawing, (left + cell * j, top + cell * i, cell), "hit" if i == j else "miss", (count, share), tip)
    return drawing.done()


def _cell(drawing: Drawing, place: tuple[float, float, float], css: str, value: tuple[int, float], tip: str) -> None:
    x, y, size = place
    count, share = value
    drawing.add("rect", "cell", x=x + 1, y=y + 1, width=size - 2, height=size - 2, rx=3)
    drawing.add(
        "rect",
        f"cell {css}",
        tip=tip,
        x=x + 1,
        y=y + 1,
        width=size - 2,
        height=size - 2,
        rx=3,
        fill_opacity=round((0.1 if css == "hit" else 0.03) + 0.85 * share, 3) if count else 0,
    )
    shown = str(count) if count < 10_000 else f"{count / 1000:.0f}k"
    if size >= 30 or count:
        drawing.text(x + size / 2, y + size / 2 + 4, shown, "count on middle" if share > 0.55 else "count middle")


def _matrix(plot: Mapping[str, Any]) -> list[list[int]]:
    """A square matrix of counts, or nothing."""
    rows = [list(sequence(row, MAX_CLASSES)) for row in sequence(plot.get("matrix"), MAX_CLASSES)]
    if not rows or any(len(row) != len(rows) for row in rows):
        return []
    return [[int(max(finite(value) or 0, 0)) for value in row] for row in rows]


# ------------------------------------------------------------------------------------------------------------- bars


def bars_svg(plot: Mapping[str, Any]) -> Markup:
    """Horizontal bars; `log` draws them over powers of ten, for values such as gradient norms."""
    bars = _bars(plot)
    positive = [value for _, value in bars if value is not None and value > 0]
    use_log = bool(plot.get("log")) and bool(positive)
    low, high = _bar_range(positive, use_log)
    left = 20 + 6.8 * max((len(name) for name, _ in bars), default=1)
    width, row = max(640.0, left + 300), 22.0
    full = width - left - 90
    title = shorten(plot.get("title", "Values"), 80)
    text = "; ".join(f"{name}: {readable(value)}" for name, value in bars)
    drawing = Drawing(width, 12 + row * len(bars), title, text, "bars")
    for index, (name, value) in enumerate(bars):
        y = 6 + row * index
        drawing.text(left - 8, y + 14, name, "tick end")
        length = 0.0
        if value is not None and value > 0:
            share = ((math.log10(value) if use_log else value) - low) / (high - low)
            length = max(2.0, min(share, 1.0) * full)
            tip = f"{name}: {readable(value)}"
            drawing.add("rect", "bar s0", tip=tip, x=left, y=y + 3, width=length, height=row - 7, rx=3)
        drawing.text(left + length + 6, y + 14, readable(value), "tick" if value else "tick missing-text")
    drawing.add("line", "axis", x1=left, x2=left, y1=4, y2=8 + row * len(bars))
    return drawing.done()


def _bar_range(positive: list[float], use_log: bool) -> tuple[float, float]:
    if not positive:
        return 0.0, 1.0
    if use_log:
        return math.log10(min(positive)) - 0.5, math.log10(max(positive)) + 1e-9
    return 0.0, max(positive)


def _bars(plot: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    labels = sequence(plot.get("labels"), MAX_BARS)
    values = [finite(value) for value in sequence(plot.get("values"), MAX_BARS)]
    return [(shorten(name, 32), value) for name, value in zip(labels, values, strict=False)]
