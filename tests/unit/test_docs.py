"""The examples in the documentation work, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checks.base import Check, Context
from autograder.model import Observation, Verdict
from autograder.sandbox.plain import GAPS, TRUST

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("grader_specs/**/*.md")])


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", sorted(ROOT.glob("grader_specs/*/README.md")), ids=lambda p: p.parent.name)
def test_formulas_of_a_handout_can_be_read_on_the_page(page: Path) -> None:
    assert "$" not in page.read_text(), "the page on the web sets no formulas"


def test_the_weak_sandbox_is_described_as_the_code_has_it() -> None:
    text = (ROOT / "docs/security.md").read_text()
    section = text.partition("## Weak sandbox")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)) == GAPS
    assert f'AUTOGRADER_ALLOW_WEAK_SANDBOX="{TRUST}"' in section


def test_the_example_of_a_check_judges() -> None:
    space: dict[str, object] = {"__name__": "example"}
    exec(blocks("docs/adding-a-check.md", "python")[0], space)
    kind = space["MeanRange"]
    assert isinstance(kind, type)
    assert issubclass(kind, Check)
    params = kind.Params.model_validate({"low": 0, "high": 1})
    good = kind().judge(Observation("forward", {"outputs": [np.full((2, 2), 0.5)]}), Context(), params)
    bad = kind().judge(Observation("forward", {"outputs": [np.full((2, 2), np.nan)]}), Context(), params)
    assert (good.verdict, bad.verdict) == (Verdict.PASSED, Verdict.FAILED)


def test_the_example_of_a_gradient_is_right() -> None:
    space: dict[str, Any] = {}
    exec(next(text for text in blocks("docs/writing-a-spec.md", "python") if "central_differences" in text), space)
    w, x, y = space["case"].arguments
    np.testing.assert_allclose(space["case"].expected, 2 * x.T @ (x @ w - y) / 8, atol=1e-8)
