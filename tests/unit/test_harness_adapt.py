"""Students name parameters as they like; the values still find their places, or a message names both signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.adapt import adapt
from harness.errors import BadRequest, HarnessError

CONV = (("w", "width", "w_in"), ("h", "height"), ("k", "kernels", "num_filters"), ("pad", "padding"))
FUNCTIONS: list[Callable[..., Any]] = [
    lambda w, h, k, pad: (w, h, k, pad),
    lambda pad, k, h, w: (w, h, k, pad),
    lambda Width, HEIGHT, numFilters, Padding: (Width, HEIGHT, numFilters, Padding),  # noqa: N803
    lambda a, b, c, d: (a, b, c, d),
    lambda h, something, k, pad: (something, h, k, pad),
    lambda w, h, k, pad, verbose=False: (w, h, k, pad),
    lambda a, b, c, d=9: (a, b, c, d),
    lambda w, h, /, k, *, padding: (w, h, k, padding),
    lambda *args: args,
    lambda w, h, **rest: (w, h, rest["k"], rest["pad"]),
    lambda w, *rest: (w, *rest),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("split", [0, 2, 4])
def test_values_find_their_parameters(function: Callable[..., Any], split: int) -> None:
    values = {"w": 1, "h": 2, "k": 3, "pad": 4}
    args, keywords = list(values.values())[:split], dict(list(values.items())[split:])
    bound, named = adapt(function, CONV, args, keywords)
    assert tuple(function(*bound, **named)) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda w, h: None,
        lambda w, h, k, pad, stride: None,
        lambda w, h, k, eps=1e-7: None,
        lambda: None,
    ],
)
def test_a_signature_that_does_not_fit_is_named_beside_the_right_one(function: Callable[..., Any]) -> None:
    with pytest.raises(HarnessError) as caught:
        adapt(function, CONV, [1, 2, 3, 4], {})
    assert "(w, h, k, pad)" in str(caught.value)
    assert caught.value.type_name == "TypeError"


def test_models_are_spared_what_they_do_not_take() -> None:
    declared = (("classes", "num_classes"), ("width", "hidden"))
    for function, expected in (
        (lambda: "nothing", "nothing"),
        (lambda num_classes: num_classes, 6),
        (lambda hidden, depth=2: (hidden, depth), (32, 2)),
        (lambda a, b: (a, b), (6, 32)),
    ):
        bound, named = adapt(function, declared, (), {"classes": 6, "width": 32}, lenient=True)
        assert function(*bound, **named) == expected  # type: ignore[operator]
    with pytest.raises(HarnessError):
        adapt(lambda a, b, c: None, declared, (), {"classes": 6, "width": 32}, lenient=True)


def test_nothing_declared_changes_nothing() -> None:
    assert adapt(lambda x: x, (), [1, 2], {"y": 3}) == ([1, 2], {"y": 3})


def test_builtins_without_a_signature_are_called_in_order() -> None:
    bound, named = adapt(max, (("a",), ("b",)), [], {"b": 2, "a": 1})
    assert (bound, named) == ([1, 2], {})


def test_more_values_than_parameters_are_the_judges_mistake() -> None:
    with pytest.raises(BadRequest):
        adapt(lambda a, b: None, (("a",),), [1, 2], {})
    with pytest.raises(BadRequest):
        adapt(lambda a, b: None, (("a",),), [1], {"c": 2})
