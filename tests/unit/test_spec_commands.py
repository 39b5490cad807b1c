"""`autograder spec verify`, `mutate` and `calibrate`: what they say and do before and around the gradings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.specs.dataset import secret_seed
from tests.conftest import ROOT, SPECS, Configure

SOLUTIONS = ROOT / "tests" / "fixtures" / "solutions"


@pytest.mark.parametrize("command", ["verify", "mutate", "calibrate"])
def test_an_unknown_spec_is_named_with_its_neighbour_before_a_sandbox_starts(
    configure: Configure, command: str
) -> None:
    configure(specs_dir=SPECS, solutions_dir=SOLUTIONS, sandbox="tests.no_such_module:none")
    done = CliRunner().invoke(app, ["spec", command, "tiny-trainin"])
    assert done.exit_code == 2, done.output
    assert "can't be read" in done.output
    assert "Did you mean 'tiny-training'?" in done.output


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["mutate", "tiny-training", "--solution", "nobody"], "Add one, or ask for another."),
        (["calibrate", "tiny-training", "--only", "nobody"], "Add one, or ask for another."),
        (["calibrate", "tiny-training", "--lane", "gpu"], "Change `lane` in spec.yaml first."),
    ],
)
def test_what_mutate_and_calibrate_refuse_comes_with_what_to_do(
    configure: Configure, words: list[str], advice: str
) -> None:
    configure(specs_dir=SPECS, solutions_dir=SOLUTIONS, sandbox="tests.no_such_module:none")
    done = CliRunner().invoke(app, ["spec", *words])
    assert done.exit_code == 2, done.output
    assert advice in done.output


@pytest.mark.parametrize("secret", ["", "a secret"])
def test_verify_builds_the_data_once_from_the_seed_in_force(tmp_path: Path, configure: Configure, secret: str) -> None:
    folder, built = tmp_path / "specs" / "tiny-training", tmp_path / "built"
    shutil.copytree(SPECS / "tiny-training", folder)
    builder = (folder / "data.py").read_text("utf-8")
    head = "def build(name, data_dir, seed):\n"
    noted = f'{head}    with open({str(built)!r}, "a") as file:\n        file.write(f"{{name}} {{seed}};")\n'
    (folder / "data.py").write_text(builder.replace(head, noted), "utf-8")
    configure(
        specs_dir=folder.parent,
        solutions_dir=SOLUTIONS,
        sandbox="tests.fakes:make_sandbox",
        data_secret=secret,
    )
    done = CliRunner().invoke(app, ["spec", "verify", "tiny-training", "--only", "nobody"])
    assert "tiny-training on standin, 0 solutions\n" in done.output
    assert built.read_text("utf-8") == f"standin {secret_seed(0, secret)};"


def _two_specs(folder: Path, configure: Configure, first: str, second: str) -> None:
    """Specs `one` and `two` with the solutions of another; each runs its lines before it builds its data."""
    for name, lines in (("one", first), ("two", second)):
        shutil.copytree(SPECS / "tiny-training", folder / name)
        shutil.copytree(SOLUTIONS / "tiny-training", folder.parent / "solutions" / name)
        for file, old, new in (
            ("spec.yaml", "id: tiny-training", f"id: {name}"),
            ("data.py", "def build(name, data_dir, seed):\n", f"def build(name, data_dir, seed):\n    {lines}\n"),
        ):
            path = folder / name / file
            text = path.read_text("utf-8")
            assert old in text
            path.write_text(text.replace(old, new), "utf-8")
    configure(specs_dir=folder, solutions_dir=folder.parent / "solutions", sandbox="tests.fakes:make_sandbox")


def test_specs_are_verified_side_by_side_and_printed_in_order(tmp_path: Path, configure: Configure) -> None:
    reached, code = tmp_path / "reached", "import pathlib, time; here = pathlib.Path({!r})"
    wait = "; ".join([code, "[time.sleep(0.01) for _ in range(3000) if not here.exists()]", "assert here.exists()"])
    _two_specs(tmp_path / "specs", configure, wait.format(str(reached)), (code + "; here.touch()").format(str(reached)))
    done = CliRunner().invoke(app, ["spec", "verify", "--all", "--only", "nobody"])
    assert done.exit_code == 0, done.output
    assert 0 <= done.output.index("one on standin") < done.output.index("two on standin")
    assert done.output.count("verified") == 2


def test_a_spec_that_cannot_be_built_ends_the_run(tmp_path: Path, configure: Configure) -> None:
    _two_specs(tmp_path / "specs", configure, "raise ValueError('no such file')", "pass")
    done = CliRunner().invoke(app, ["spec", "verify", "--all", "--only", "nobody"])
    assert done.exit_code == 2
    assert "ValueError: no such file" in done.output
    assert "verified" not in done.output
