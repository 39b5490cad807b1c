"""`autograder spec` and `autograder check` for authors, as processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.config import settings
from autograder.specs.folder import TEMPLATE
from tests.conftest import ROOT


class Desk:
    """An author's folder of specs, which holds the template alone."""

    def __init__(self, home: Path) -> None:
        self.specs, self.solutions, self.home = home / "specs", home / "solutions", home
        shutil.copytree(settings().specs_dir / TEMPLATE, self.specs / TEMPLATE)
        shutil.copytree(settings().solutions_dir / TEMPLATE, self.solutions / TEMPLATE)

    def run(self, *words: str) -> tuple[int, str]:
        """A command's exit code, and all it printed."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "AUTOGRADER_SPECS_DIR": str(self.specs),
            "AUTOGRADER_SOLUTIONS_DIR": str(self.solutions),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "autograder", *words],
            env=environment, cwd=self.home, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_from_a_new_spec_to_its_handout(desk: Desk) -> None:
    code, said = desk.run("spec", "new", "rings")
    assert code == 0
    assert "specs/rings/spec.yaml" in said
    assert "bin/autograder spec verify rings" in said
    code, said = desk.run("spec", "show", "rings")
    assert code == 0
    for words in (
        "rings: Which ring",
        "5 points",
        "model Classifier (also Net, MLP)",
        "submission.ipynb",
        "accuracy of",
    ):
        assert words in said
    code, said = desk.run("spec", "handout", "rings", "--out", "out")
    assert code == 2
    for words in ("planted mistakes", "bin/autograder spec mutate rings", "--unproven"):
        assert words in said
    code, said = desk.run("spec", "handout", "rings", "--out", "out", "--unproven")
    assert (code, sorted(p.name for p in (desk.home / "out").iterdir())) == (
        0,
        ["README.md", "submission.ipynb", "submission.py"],
    )
    assert desk.run("spec", "handout", "rings", "--unproven")[0] == 0
    assert (desk.home / "rings-handout.zip").is_file()


def test_verify_shows_every_message_and_hint_when_asked(desk: Desk) -> None:
    code, said = desk.run("spec", "verify", TEMPLATE, "--only", "softmax_inside", "-v")
    assert code == 0, said
    assert "output_shape: failed: " in said
    assert " → " in said


def test_what_will_not_do_is_told_in_words_with_exit_code_2(desk: Desk) -> None:
    for command, said in (
        (("spec", "new", "Rings"), "can't be a spec's id"),
        (("spec", "show", "templat"), "Is the spec id right?"),
        (("check", "show", "accurracy"), "Did you mean 'accuracy'?"),
        (("check", "show", "forwards"), "Did you mean 'forward'?"),
        (("check", "new", "accuracy"), "already"),
    ):
        code, printed = desk.run(*command)
        assert (code, said in printed, "Traceback" in printed) == (2, True, False), printed


def test_the_schema_is_written_and_known_to_be_up_to_date(desk: Desk) -> None:
    assert desk.run("spec", "schema", "--check") == (
        1,
        "specs/spec.schema.json is out of date; run: bin/autograder spec schema\n",
    )
    assert desk.run("spec", "schema") == (0, "specs/spec.schema.json written\n")
    assert desk.run("spec", "schema", "--check") == (0, "specs/spec.schema.json is up to date\n")


def test_check_types_are_listed_and_shown_with_their_parameters(desk: Desk) -> None:
    code, said = desk.run("check", "list")
    assert code == 0
    assert "accuracy " in said
    code, said = desk.run("check", "show", "accuracy")
    assert code == 0
    for words in ("`targets`", "array", "From here on all points"):
        assert words in said


def test_probes_are_shown_as_checks_are(desk: Desk) -> None:
    code, said = desk.run("check", "show", "calls")
    assert code == 0
    for words in ("`calls` (probe)", "`as_tensor`", "`allclose`"):
        assert words in said
    code, said = desk.run("check", "show", "source")  # a check and a probe have this name
    assert (code, said.count("### `source`")) == (0, 2)


def test_a_new_check_type_is_three_files(desk: Desk) -> None:
    code, said = desk.run("check", "new", "mean_range", "--root", str(desk.home))
    assert code == 0
    made = sorted(str(p.relative_to(desk.home)) for p in desk.home.rglob("*mean_range.py"))
    assert made == [
        "autograder/checks/mean_range.py",
        "tests/checks/contract/mean_range.py",
        "tests/checks/test_mean_range.py",
    ]
    assert all(path in said for path in made)
