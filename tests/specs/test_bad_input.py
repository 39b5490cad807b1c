"""Mistakes of form that students make in any task: each has a message of its own that says what to do.

Each mistake of `mistakes.py` is planted into a right solution of each spec and graded for real up to the first trouble,
which is read as the student would read it. A new spec takes part by having accepted/reference.py. Here the first spec
meets every mistake and the others every fourth; with AUTOGRADER_TEST_SOLUTIONS=all, for the night, each meets each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pytest

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import Observation, Outcome, Verdict
from autograder.pipeline import Witness
from autograder.proof.watch import Stopped
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedCheck, LoadedSpec, load_all
from tests.specs.mistakes import ROLES, SERVED, plant, roles

SPECS = load_all(settings().specs_dir)
SOURCES = {name: (settings().solutions_dir / name / "accepted/reference.py").read_text() for name in SPECS}
ALL = os.environ.get("AUTOGRADER_TEST_SOLUTIONS") == "all"
EVERY = 1 if ALL else 4
HURRIED_S = 4.0  # what an observation may take where the mistake is to take for ever


def chosen() -> list[tuple[str, str, str]]:
    """(spec, role, name of a mistake): of each spec those whose turn it is, and the first of each that has no turn."""
    found, met = [], set()
    for number, (name, loaded) in enumerate(SPECS.items()):
        every = [(name, role, mistake) for role in roles(loaded.spec, SOURCES[name]) for mistake in ROLES[role]]
        found += [one for place, one in enumerate(every) if place % EVERY == number % EVERY or one[1:] not in met]
        met |= {one[1:] for one in found}
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = open_sandbox(settings())
    yield made
    made.close()


@lru_cache
def data_of(spec: str) -> DataSet:
    return SPECS[spec].build_data(None, SPECS[spec].spec.seed, "standin")


def serves(data: DataSet, place: str) -> bool:
    return any(name.startswith(place) for name in (*data.files, *data.folders))


def hurried(loaded: LoadedSpec) -> LoadedSpec:
    """The spec with little time for each observation."""
    spec = loaded.spec
    limits = spec.limits.model_copy(update={"wall_s": HURRIED_S})
    asked = {name: o.model_copy(update={"wall_s": None}) for name, o in spec.observations.items()}
    return replace(loaded, spec=spec.model_copy(update={"limits": limits, "observations": asked}))


@dataclass
class Reader(Witness):
    """Reads the checks in their order, and stops at the first trouble."""

    praise: list[str] = field(default_factory=list)
    trouble: Outcome | None = None
    advice: str = ""

    def judged(self, check: LoadedCheck, _observation: Observation, outcome: Outcome) -> None:
        """Read one check."""
        if outcome.verdict is Verdict.PASSED:
            self.praise.append(outcome.message)
        elif outcome.verdict is not Verdict.SKIPPED:
            self.trouble, self.advice = outcome, f"{outcome.hint} {check.spec.hint}"
            raise Stopped


def read(loaded: LoadedSpec, data: DataSet, source: str, sandbox: Sandbox) -> Reader:
    reader = Reader()
    with suppress(Stopped):
        pipeline.grade(loaded, unpack("submission.py", source.encode()), sandbox, data=data, witness=reader)
    return reader


@pytest.mark.timeout(300)  # the first grading of a spec may have to train what the spec hands out
@pytest.mark.parametrize(("spec", "role", "name"), chosen())
def test_each_mistake_has_a_message_that_says_what_to_do(spec: str, role: str, name: str, sandbox: Sandbox) -> None:
    loaded, mistake = SPECS[spec], ROLES[role][name]
    entry = loaded.spec.entry_points[roles(loaded.spec, SOURCES[spec])[role]]
    used = hurried(loaded) if Verdict.TIMED_OUT in mistake.verdicts else loaded
    found = read(used, data_of(spec), plant(mistake, entry, SOURCES[spec]), sandbox)
    if found.trouble is None:
        assert mistake.accepted, "nothing was noticed"
        assert name not in SERVED or serves(data_of(spec), SERVED[name]), "where from?"
        assert re.search(mistake.accepted, " ".join(found.praise)), found.praise
        return
    said = f"{found.trouble.verdict}: {found.trouble.message} → {found.advice}"
    assert found.trouble.verdict in mistake.verdicts, said
    assert re.search(mistake.says.replace("{name}", entry.names[0]), found.trouble.message, re.S), said
    assert re.search(mistake.advises.replace("{name}", entry.names[0]), found.advice, re.S), said
