"""Every grader spec holds on every reference solution, graded for real. The same as `bin/autograder spec verify --all`.

On the stand-in data; and on the real data as well where AUTOGRADER_DATA_DIR names its folder. Of each spec one right,
one partly right and one wrong solution are graded here; with AUTOGRADER_TEST_SOLUTIONS=all every one is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache

import pytest

from autograder import pipeline
from autograder.authoring.handout import handout_files
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import GradeReport, Verdict
from autograder.proof.rules import Graded, findings
from autograder.proof.verify import grade_solution
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.folder import TEMPLATE
from autograder.specs.loader import LoadedSpec, load_all, load_spec
from autograder.specs.solutions import Solution, find_solutions

SPECS = {TEMPLATE: load_spec(settings().specs_dir / TEMPLATE), **load_all(settings().specs_dir)}
ALL = os.environ.get("AUTOGRADER_TEST_SOLUTIONS") == "all"
OF_EACH = ("accepted", "partially_accepted", "wrong_answer")


def chosen(spec: str) -> list[Solution]:
    """All solutions of a spec, or the first of each of the main folders."""
    found = find_solutions(settings().solutions_dir / spec)
    if ALL or spec == TEMPLATE:
        return found
    firsts = {s.name.partition("/")[0]: s for s in reversed(found)}
    return [firsts[folder] for folder in OF_EACH if folder in firsts]


SOLUTIONS = [(spec, s) for spec in SPECS for s in chosen(spec)]
# A data set that needs a folder is there only where the folder is; nothing is skipped silently elsewhere.
DATA = ["standin"] + (["real"] if settings().data_dir else [])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


@lru_cache
def data_of(spec: str, kind: str) -> DataSet:
    loaded = SPECS[spec]
    if kind == "standin":
        return loaded.build_data(None, loaded.spec.seed, "standin")
    return loaded.build_data(settings().data_dir, loaded.spec.seed)


_graded: dict[tuple[str, str, str], Graded] = {}


def graded(spec: str, solution: Solution, sandbox: Sandbox, kind: str) -> Graded:
    key = (spec, solution.name, kind)
    if key not in _graded:
        _graded[key] = grade_solution(SPECS[spec], solution, sandbox, data_of(spec, kind))
    return _graded[key]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize(("spec", "solution"), SOLUTIONS, ids=lambda v: v.name if isinstance(v, Solution) else v)
def test_the_verdict_is_right(spec: str, solution: Solution, kind: str, sandbox: Sandbox) -> None:
    one = graded(spec, solution, sandbox, kind)
    assert not one.problems, "\n".join([*one.problems, *(f"{c.id}: {c.message}" for c in one.report.checks)])


@pytest.mark.skipif(not ALL, reason="needs all solutions: `bin/autograder spec verify --all`, for the night, does this")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("spec", SPECS)
def test_no_house_rule_is_broken(spec: str, kind: str, sandbox: Sandbox) -> None:
    every = [graded(spec, s, sandbox, kind) for name, s in SOLUTIONS if name == spec]
    right = next(g.solution for g in every if g.solution.accepted)
    again = grade_solution(SPECS[spec], right, sandbox, data_of(spec, kind))
    found = findings(SPECS[spec], data_of(spec, kind), every, [again])
    assert not [f.message for f in found if f.error]
    first = next(g.report for g in every if g.solution is right)
    assert first.receipt == again.report.receipt


def grade_file(loaded: LoadedSpec, name: str, data: bytes, sandbox: Sandbox) -> GradeReport:
    return pipeline.grade(loaded, unpack(name, data), sandbox, data=data_of(loaded.folder.name, "standin"))


@pytest.mark.parametrize("file", ["submission.ipynb", "submission.py"])
@pytest.mark.parametrize("spec", SPECS)
def test_the_starter_handed_in_unchanged_scores_low_and_says_what_to_do(spec: str, file: str, sandbox: Sandbox) -> None:
    """Both forms in which students are given it."""
    loaded = SPECS[spec]
    report = grade_file(loaded, file, handout_files(loaded.folder)[file], sandbox)
    assert report.score <= 0.2 * report.max_score
    first_trouble = next(c for c in report.checks if c.verdict is not Verdict.PASSED)
    said = f"{first_trouble.message} → {first_trouble.hint}"
    assert re.search(r"TODO|NotImplementedError|still unwritten|Define ", said), said
