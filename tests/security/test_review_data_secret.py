"""Who knows a data builder and the seed that reports name must not be able to make the service's hidden data."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.config import ROOT
from autograder.services import gradebook
from autograder.services.grade import _built, grade_one
from autograder.specs.loader import load_spec
from tests.conftest import Configure
from tests.factories import hand_in, make_class
from tests.fakes import FakeSandbox

SPECS = ROOT / "grader_specs"


def receipt(configure: Configure, **secret: str) -> Mapping[str, str]:
    """What a student reads of the data that a grading used."""
    configure(specs_dir=SPECS, **secret)
    group = make_class(spec_id="ccds-cnn-1")
    student = group.students[0]
    submission = hand_in(student, group)
    _built.cache_clear()
    assert grade_one("cpu", "worker", FakeSandbox())
    report = gradebook.submission(student, submission.id).report
    assert report is not None
    return report.receipt


def remade(seed: str) -> str:
    """The digest of what a student makes with the builder and that seed."""
    return load_spec(SPECS / "ccds-cnn-1").build_data(None, int(seed)).digest


def test_a_secret_moves_the_data(database: str, configure: Configure) -> None:
    shown = receipt(configure, data_secret="nobody knows")
    assert remade(shown["seed"]) not in shown["data"]


def test_without_one_the_data_can_be_made_again(database: str, configure: Configure) -> None:
    shown = receipt(configure)
    assert remade(shown["seed"]) in shown["data"]
