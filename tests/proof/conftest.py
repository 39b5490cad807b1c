"""A small spec that is really trained, its solutions, and a sandbox for all tests of the proofs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.config import settings
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec, load_spec
from autograder.specs.solutions import Solution, find_solutions
from tests.conftest import ROOT, SPECS

SOLUTIONS = ROOT / "tests" / "fixtures" / "solutions"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


@pytest.fixture(scope="session")
def tiny() -> LoadedSpec:
    return load_spec(SPECS / "tiny-training")


@pytest.fixture(scope="session")
def data(tiny: LoadedSpec) -> DataSet:
    return tiny.build_data(None, 0)


@pytest.fixture(scope="session")
def solutions() -> dict[str, Solution]:
    return {s.name: s for s in find_solutions(SOLUTIONS / "tiny-training")}
