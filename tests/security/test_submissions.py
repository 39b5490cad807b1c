"""Each file in submissions/ is graded for real. It must earn no more than it is worth, and its report must not leak.

All of them start with a network that learns nothing (submission_prelude.py), so that is what they are worth. One that
gets hold of something says GOT, or ends itself once words are not passed on; `# verdict:` names the verdicts that some
check may get because of the attack itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest

from autograder.model import GradeReport, Verdict
from tests.security.grading import PRELUDE, SUBMISSIONS, Grade, hostile

FINGERPRINT = "735192"
HARMLESS = {Verdict.PASSED, Verdict.PARTIAL, Verdict.FAILED, Verdict.SKIPPED}
# One of each kind also runs on the slow twin, where every start costs seconds.
ON_BOTH = ("answer_in_the_harness_stead", "blame_the_grader", "plant_for_the_next_start", "say_hidden_inputs")
LEARNS = """
def train(model, train_set, epochs, lr):
    loader = torch.utils.data.DataLoader(train_set, batch_size=10, shuffle=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        for x, y in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()
"""


@pytest.fixture(scope="session")
def worth(grade: Grade) -> float:
    """What an honest network that learns nothing earns."""
    report = grade("net.py", PRELUDE.encode())
    assert 3 <= report.score <= 5, report
    return report.score


def test_honest_work_earns_everything(grade: Grade) -> None:
    report = grade("net.py", (PRELUDE + LEARNS).encode())
    assert report.score == report.max_score, described(report)


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_it_gains_nothing(grade: Grade, worth: float, name: str) -> None:
    hold(grade("net.py", hostile(name)), worth, name)


@pytest.mark.parametrize("name", ON_BOTH)
def test_it_gains_nothing_on_the_slow_twin_either(grade_slowly: Grade, worth: float, name: str) -> None:
    hold(grade_slowly("net.py", hostile(name)), worth, name)


def test_what_was_spent_on_hidden_inputs_is_told_in_two_digits(grade: Grade) -> None:
    report = grade("net.py", hostile("spend_hidden_inputs"))
    used = next(check for check in report.checks if check.id == "used")
    told = [str(used.evidence[name]).split()[0] for name in ("time", "CPU time", "memory")]
    assert min(float(told[0]), float(told[1])) >= 0.7, used  # so it was spent
    assert float(told[2]) >= 500, used
    assert all(float(number) == float(f"{float(number):.1e}") for number in told), used


def hold(report: GradeReport, worth: float, name: str) -> None:
    """No point too many, nothing got, nothing leaked."""
    assert report.score <= worth, described(report)
    assert "GOT" not in report.output, report.output
    expected = re.search(r"^# verdict: (.+)$", SUBMISSIONS[name].read_text("utf-8"), re.MULTILINE)
    allowed = HARMLESS | ({Verdict(word) for word in expected[1].split(", ")} if expected else set())
    assert {check.verdict for check in report.checks} <= allowed, described(report)
    said = json.dumps(asdict(report), default=str)
    assert FINGERPRINT not in said, said
    assert len(said) < 200_000


def described(report: GradeReport) -> list[str]:
    """The checks on a line each, for whoever reads a failure."""
    return [f"{c.id}: {c.verdict.value}, {c.score:g} of {c.max_score:g}: {c.message}" for c in report.checks]


def test_every_one_says_what_it_tries() -> None:
    assert len(SUBMISSIONS) >= 55
    assert all(path.read_text("utf-8").startswith('"""') for path in SUBMISSIONS.values())
