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
