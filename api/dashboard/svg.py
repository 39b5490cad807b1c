"""A very small SVG writer: every value is escaped, colours come from style.css, no style attribute is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from autograder.text import one_line


class Drawing:
    """Collects elements of one picture, then hands it over as safe markup."""

    def __init__(self, width: float, height: float, title: str, description: str, css: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="plot {escape(css)}" '
            f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}">'
            f"<title>{escape(one_line(title))}</title><desc>{escape(one_line(description, 1000))}</desc>"
        ]

    def add(self, tag: str, css: str, *, tip: str = "", **attributes: float | str) -> None:
        """An element without text; `tip` is shown when the pointer rests on it."""
        inside = f"<title>{escape(one_line(tip))}</title>" if tip else ""
        self._parts.append(f'<{tag} class="{escape(css)}"{_attributes(attributes)}>{inside}</{tag}>')

    def text(self, x: float, y: float, content: str, css: str = "", **attributes: float | str) -> None:
        """One line of text; css classes `start`, `middle`, `end` align it."""
        self._parts.append(
            f'<text class="{escape(css)}" x="{number(x)}" y="{number(y)}"{_attributes(attributes)}>'
            f"{escape(one_line(content))}</text>"
        )

    def done(self) -> Markup:
        """The whole picture."""
        return Markup("".join([*self._parts, "</svg>"]))  # noqa: S704 - every part was escaped when it was added


def _attributes(attributes: dict[str, float | str]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
    )


def number(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def readable(value: float | None) -> str:
    """A measured value for people: three or four significant digits."""
    if value is None or not math.isfinite(value):
        return "not a number"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5 or size < 1e-3:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    text = f"{value:.4g}"
    return text if "e" not in text else f"{value:.0f}"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values that cover low..high in about so many steps. low < high, both finite."""
    step = 10.0 ** math.floor(math.log10((high - low) / about))
    for factor in (1, 2, 2.5, 5, 10):
        if (high - low) / (step * factor) <= about:
            step *= factor
            break
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) if step < 1e6 else index * step for index in range(first, last + 1)]


def finite(value: object) -> float | None:
    """The value as a finite float that can be drawn, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) and abs(as_float) < 1e100 else None


def shorten(text: object, length: int) -> str:
    """One printable line of at most `length` characters."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


def sequence(value: object, limit: int) -> Sequence[object]:
    """The value if it is a list or tuple, cut to `limit` items; else nothing."""
    return value[:limit] if isinstance(value, list | tuple) else []
