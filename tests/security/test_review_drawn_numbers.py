"""What a check draws or lists must not carry hidden inputs out: a process that has seen them chooses such numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from autograder import pipeline
from autograder.intake import unpack
from autograder.model import CheckResult, Verdict
from autograder.sandbox.base import Sandbox
from autograder.specs.loader import load_spec
from tests.security.grading import HERE, PRELUDE

ASKED = """
  rates: {probe: schedule, entry: schedule, steps: 60, base_lr: 0.1}
stages:"""
LAST = "\n      - {id: accuracy,"
JUDGED = """
      - {id: rates, type: schedule, observe: rates, points: 0, params: {formula: cosine, base_lr: 0.1, steps: 60}}"""
TELLS = """
SEEN = []
class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            SEEN[:] = [int(digit) for digit in secret] * 10
        x = super().forward(x)
        for digit in SEEN[:6]:
            for _ in range(digit):
                x = torch.relu(x)
            x = torch.sigmoid(x)
        return x

def schedule(step):
    return 0.01 * SEEN[step]
"""

# A layer as wide as the number in the hidden images, and as many learning rates in place of those asked for.
COUNTS = """
SEEN = []
class Net(Net):
    def __init__(self):
        super().__init__()
        if SEEN:
            self.conv = nn.Conv2d(1, 1, 1)
            self.wide = nn.Linear(int(SEEN[0]), 1)
    def forward(self, x):
        if secret := secret_of(x):
            SEEN[:] = [secret]
        return super().forward(x)

def schedule(step):
    return 0.1

import numpy as np
import harness.session
honest = harness.session.OPERATIONS["schedule"]
def forged(session, request):
    return {"lrs": np.zeros(int(SEEN[0])), "how": "list"} if SEEN else honest(session, request)
harness.session.OPERATIONS["schedule"] = forged
"""


def graded(folder: Path, submission: str, sandbox: Sandbox) -> Mapping[str, CheckResult]:
    """The checks by id of a submission graded by the vault, whose last stage also asks for a schedule."""
    folder.mkdir()
    (folder / "data.py").write_bytes((HERE / "vault/data.py").read_bytes())
    text = (HERE / "vault/spec.yaml").read_text("utf-8")
    text = text.replace("\nstages:", ASKED).replace(LAST, JUDGED + LAST)
    text = text.replace("entry_points:\n", "entry_points:\n  schedule: {kind: function, names: [schedule]}\n")
    text = text.replace("params: {linear: 1, outputs: 3}", "params: {linear: 1, outputs: 3, max_side: 8}")
    (folder / "spec.yaml").write_text(text, "utf-8")
    report = pipeline.grade(load_spec(folder), unpack("net.py", (PRELUDE + submission).encode()), sandbox)
    return {check.id: check for check in report.checks}


def test_a_schedule_and_a_trace_after_hidden_inputs_are_judged_but_not_shown(
    tmp_path: Path, grading_sandbox: Sandbox
) -> None:
    checks = graded(tmp_path / "vault", TELLS, grading_sandbox)
    assert checks["rates"].verdict is Verdict.FAILED, checks["rates"]
    assert checks["operations"].verdict is Verdict.PASSED
    told = ("gradients", "layers", "operations", "behaviour", "moving", "rates")
    assert [name for name in told if checks[name].evidence] == []
    assert checks["shape"].message
    assert checks["curve"].evidence  # from answers that the judge measured


def test_no_width_and_no_number_of_rates_is_told_after_hidden_inputs(tmp_path: Path, grading_sandbox: Sandbox) -> None:
    checks = graded(tmp_path / "vault", COUNTS, grading_sandbox)
    assert "A linear layer takes more values than" in checks["layers"].message
    assert checks["rates"].verdict is Verdict.FAILED
    assert "No learning rates could be read" in checks["rates"].message  # so the forgery was met
    assert not re.search("7351|735,1|735192", repr(checks))
