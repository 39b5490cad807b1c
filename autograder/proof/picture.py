"""A calibration as a picture: a row of dots for each solution, the threshold as a line. Plain SVG, no style sheet."""

from __future__ import annotations

from html import escape

from autograder.specs.calibration import Calibrated, Calibration

_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD = 720.0, 230.0, 24.0, 18.0, 34.0
_NOTES = {"nothing": "", "normal": " (if values are normal)", "spread": " (a guess: the values hardly differ)"}


def draw(made: Calibration) -> str:
    """The whole picture: one panel a statistic."""
    parts, top = [], 30.0
    for key, statistic in made.statistics.items():
        drawn, top = _panel(key, statistic, top)
        parts += drawn
    title = f"{made.spec} on {made.data}, {made.lane.value}: {made.seeds} seeds, false fail {100 * made.false_fail:g}%"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {top + 8:g}" width="{_WIDTH:g}" '
        f'font-family="sans-serif" font-size="11" fill="#333"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="10" y="18" font-size="13">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )


def _panel(key: str, statistic: Calibrated, top: float) -> tuple[list[str], float]:
    every = [v for spread in statistic.solutions.values() for v in spread.values]
    low, high = min(*every, statistic.threshold), max(*every, statistic.threshold)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / span

    bottom = top + _HEAD + _ROW * len(statistic.solutions)
    sign = "≥" if statistic.direction == "above" else "≤"
    head = f"{escape(key)} {sign} {statistic.threshold:g}{_NOTES[statistic.assumes]}"
    parts = [f'<text x="10" y="{top + 20:g}" font-weight="bold">{head}</text>']
    for row, (name, spread) in enumerate(statistic.solutions.items()):
        y = top + _HEAD + _ROW * row
        parts.append(f'<text x="{_LEFT - 12:g}" y="{y + 4:g}" text-anchor="end">{escape(name)}</text>')
        parts += [f'<circle cx="{x(v):.1f}" cy="{y:g}" r="3" fill="#2563eb" opacity="0.45"/>' for v in spread.values]
    line = x(statistic.threshold)
    parts.append(f'<path d="M{line:.1f} {top + 26:g}V{bottom - 8:g}" stroke="#dc2626" stroke-width="1.5"/>')
    parts += [
        f'<text x="{x(v):.1f}" y="{bottom + 6:g}" text-anchor="middle" fill="#666">{v:.4g}</text>'
        for v in dict.fromkeys((low, high))
    ]
    return parts, bottom + 16
