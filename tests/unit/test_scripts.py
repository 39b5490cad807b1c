"""The scripts in bin/, in a folder where what they start only says that it was started."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

BENCHMARKS = ROOT / "benchmarks"
NAMES = sorted(path.stem for path in BENCHMARKS.glob("*.py") if 'if __name__ == "__main__"' in path.read_text("utf-8"))


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A project with the real bin/bench, and stand-ins for bin/setup and Python."""
    shutil.copytree(BENCHMARKS, tmp_path / "benchmarks", ignore=lambda _, names: [n for n in names if "." not in n])
    for path, script in ((".venv/bin/python", 'echo "python $*"'), ("bin/setup", 'echo "setup $*"')):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (tmp_path / path).chmod(0o755)
    shutil.copy(ROOT / "bin" / "bench", tmp_path / "bin" / "bench")
    return tmp_path


def names_of(requirements: str) -> set[str]:
    """The packages that a file of requirements/ names."""
    return set(re.findall(r"^([a-z0-9_-]+)==", (ROOT / "requirements" / requirements).read_text("utf-8"), re.MULTILINE))


def imported(path: Path, seen: set[Path] | None = None) -> set[str]:
    """Packages that a module imports, and those that our own modules among them do."""
    seen = set() if seen is None else seen
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        for module in modules:
            found.add(module.partition(".")[0])
            ours = ROOT / f"{module.replace('.', '/')}.py"
            found |= imported(ours, seen) if ours.is_file() else set()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_is_set_up_with_the_packages_that_it_imports(stage: Path, name: str) -> None:
    done = subprocess.run([stage / "bin" / "bench", name, "--fast"], capture_output=True, text=True, check=True)
    setup, started = done.stdout.splitlines()
    assert started == f"python -m benchmarks.{name} --fast"
    only_for_tests = names_of("dev.in") - names_of("service.in")
    wanted = imported(BENCHMARKS / f"{name}.py") & only_for_tests
    assert setup == ("setup --test" if wanted else "setup "), wanted
