"""Plots: well-formed SVG from good evidence, and from any evidence at all."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.dashboard.plots import bars_svg, confusion_matrix_svg, draw, loss_curve_svg
from api.dashboard.svg import readable, ticks

SVG = "{http://www.w3.org/2000/svg}"
CURVE = {
    "kind": "loss_curve",
    "title": "Loss",
    "series": {"training": [2.3, 1.0, 0.5], "validation": [2.3, None, 0.9]},
    "x": [0, 1, 2],
    "x_label": "epoch",
    "y_label": "loss",
}
MATRIX = {"kind": "confusion_matrix", "title": "C", "labels": ["cat", "dog"], "matrix": [[8, 2], [0, 10]]}
BARS = {"kind": "bars", "title": "Norms", "labels": ["a.weight", "b.weight"], "values": [0.1, None], "log": True}


def parsed(svg: str) -> ET.Element:
    """The picture as a tree; fails if it is not well-formed or breaks the content security policy."""
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None
    for element in root.iter():
        assert element.tag != f"{SVG}script"
        assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]
    return root


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_a_loss_curve_has_axes_legend_lines_and_a_cross_for_what_is_not_finite() -> None:
    root = parsed(loss_curve_svg(CURVE))
    assert {"epoch", "loss", "training", "validation", "0", "1", "2"} <= set(texts(root))
    lines = list(root.iter(f"{SVG}polyline"))
    assert len(lines) == 1  # validation has single points on both sides of its gap
    xs = [float(pair.split(",")[0]) for pair in lines[0].attrib["points"].split()]
    ys = [float(pair.split(",")[1]) for pair in lines[0].attrib["points"].split()]
    assert xs == sorted(xs)
    assert ys == sorted(ys)  # falling losses go down, and down is larger y
    crosses = [element for element in root.iter(f"{SVG}path") if element.attrib["class"] == "missing"]
    assert [cross.findtext(f"{SVG}title") for cross in crosses] == ["validation, 1: not a number"]


def test_losses_over_many_powers_of_ten_are_drawn_on_a_log_scale() -> None:
    root = parsed(loss_curve_svg({**CURVE, "series": {"training": [1e-3, 1.0, 1e3]}}))
    assert "loss (log scale)" in texts(root)


def test_a_confusion_matrix_counts_rows_as_true_classes() -> None:
    root = parsed(confusion_matrix_svg(MATRIX))
    assert {"true class", "predicted", "8", "2", "0", "10"} <= set(texts(root))
    assert "18 of 20 on the diagonal" in (root.findtext(f"{SVG}desc") or "")
    tips = [element.text for element in root.iter(f"{SVG}title")]
    assert "true cat, predicted dog: 2 (20%)" in tips
    assert "true dog, predicted cat: 0 (0%)" in tips


def test_bars_on_a_log_scale_grow_with_the_value() -> None:
    values = [1e-5, 1e-3, 1.0, 0.0, math.nan]
    root = parsed(bars_svg({**BARS, "labels": list("abcde"), "values": values}))
    widths = [float(element.attrib["width"]) for element in root.iter(f"{SVG}rect")]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3  # zero and NaN have no bar
    assert texts(root)[-2:] == ["e", "not a number"]


def test_numbers_are_there_as_a_table_too() -> None:
    plot = draw(CURVE)
    assert plot is not None
    assert plot.head == ("epoch", "training", "validation")
    assert plot.rows[1] == ("1", "1", "not a number")


@pytest.mark.parametrize(
    "plot",
    [
        None,
        [],
        "x",
        {},
        {"kind": "nonsense"},
        {"kind": ["loss_curve"]},
        {"kind": "loss_curve"},
        {"kind": "loss_curve", "series": {}},
        {"kind": "loss_curve", "series": {"a": []}},
        {"kind": "loss_curve", "series": [1, 2]},
        {"kind": "confusion_matrix", "matrix": []},
        {"kind": "confusion_matrix", "matrix": [[1, 2], [3]]},
        {"kind": "confusion_matrix", "matrix": [1, 2]},
        {"kind": "bars", "labels": [], "values": []},
    ],
)
def test_what_is_no_plot_is_not_drawn(plot: object) -> None:
    assert draw(plot) is None


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x1b]0;x\x07\ud800"


def test_hostile_words_stay_words() -> None:
    curve = {
        "kind": "loss_curve",
        "title": HOSTILE,
        "series": {HOSTILE: [1, 2]},
        "x": [HOSTILE, HOSTILE],
        "x_label": HOSTILE,
        "y_label": HOSTILE,
    }
    for plot in (
        curve,
        {**MATRIX, "title": HOSTILE, "labels": [HOSTILE, HOSTILE]},
        {**BARS, "title": HOSTILE, "labels": [HOSTILE, HOSTILE]},
    ):
        drawn = draw(plot)
        assert drawn is not None
        root = parsed(drawn.svg)
        assert not list(root.iter(f"{SVG}img"))
        assert "\u202e" not in drawn.svg
        assert "\x1b" not in drawn.svg


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=8)
    | st.just(10**400),
    lambda child: st.lists(child, max_size=5) | st.dictionaries(st.text(max_size=3), child, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["loss_curve", "confusion_matrix", "bars"]),
    st.dictionaries(
        st.sampled_from(["title", "series", "x", "x_label", "y_label", "labels", "matrix", "values", "log"]), VALUES
    ),
)
def test_any_evidence_draws_or_does_not_but_never_breaks(kind: str, fields: dict[str, object]) -> None:
    drawn = draw({**fields, "kind": kind})
    if drawn is not None:
        parsed(drawn.svg)


NUMBERS = st.lists(st.floats() | st.integers(-(10**300), 10**300) | st.none(), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(NUMBERS, NUMBERS, st.booleans())
def test_any_numbers_stay_inside_the_picture(first: list[float], second: list[float], log: bool) -> None:
    for plot in (
        {"kind": "loss_curve", "series": {"a": first, "b": second}},
        {"kind": "bars", "labels": [str(i) for i in range(6)], "values": first, "log": log},
        {"kind": "confusion_matrix", "labels": ["a"], "matrix": [first[:1]]},
    ):
        drawn = draw(plot)
        assert drawn is not None
        root = parsed(drawn.svg)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for pair in re.findall(r'points="([^"]*)"', drawn.svg):
            for point in pair.split():
                x, y = (float(part) for part in point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (1234.56, "1235"),
        (1e-7, "1e-7".replace("1e", "1.0e")),
        (2.5e9, "2.5e9"),
        (None, "not a number"),
    ],
)
def test_readable(value: float | None, text: str) -> None:
    assert readable(value) == text


@given(st.floats(-1e90, 1e90), st.floats(1e-6, 1e6))
def test_ticks_lie_inside_and_are_few(low: float, spread: float) -> None:
    high = low + spread * max(abs(low), 1)
    marks = ticks(low, high)
    assert len(marks) <= 7
    assert marks == sorted(marks)
    slack = (high - low) * 1e-6
    assert all(low - slack <= mark <= high + slack for mark in marks)


def test_values_too_small_for_a_logarithm_are_drawn() -> None:
    assert draw({"kind": "loss_curve", "series": {"a": [0.0, 5e-324], "b": [-5e-324, None]}}) is not None
