"""House rules a linter does not know: short functions, modules that open with a line of words."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
OURS = [
    p
    for folder in ("api", "worker", "autograder", "harness", "benchmarks", "tests")
    for p in sorted((ROOT / folder).rglob("*.py"))
    if "fixtures" not in p.parts
]


@pytest.mark.parametrize("path", OURS, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_fit_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text())
    too_long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 60
    ]
    assert not too_long, f"split these: {', '.join(too_long)}"


@pytest.mark.parametrize("path", OURS, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_say_what_lives_in_them(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "open the module with one line"


@pytest.mark.parametrize("path", OURS, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500
