"""What a check draws or lists must not carry hidden inputs out: a process that has seen them chooses such numbers."""

from __future__ import annotations

from pathlib import Path

from autograder import pipeline
from autograder.config import settings
from autograder.intake import unpack
from autograder.model import Verdict
from autograder.sandbox import open_sandbox
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


def test_a_schedule_and_a_trace_after_hidden_inputs_are_judged_but_not_shown(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "data.py").write_bytes((HERE / "vault/data.py").read_bytes())
    text = (HERE / "vault/spec.yaml").read_text("utf-8")
    text = text.replace("\nstages:", ASKED).replace(LAST, JUDGED + LAST)
    text = text.replace("entry_points:\n", "entry_points:\n  schedule: {kind: function, names: [schedule]}\n")
    (folder / "spec.yaml").write_text(text, "utf-8")
    sandbox = open_sandbox(settings())
    try:
        report = pipeline.grade(load_spec(folder), unpack("net.py", (PRELUDE + TELLS).encode()), sandbox)
    finally:
        sandbox.close()
    checks = {check.id: check for check in report.checks}
    assert checks["rates"].verdict is Verdict.FAILED, checks["rates"]
    assert checks["operations"].verdict is Verdict.PASSED
    told = ("gradients", "layers", "operations", "behaviour", "moving", "rates")
    assert [name for name in told if checks[name].evidence] == []
    assert checks["shape"].message
    assert checks["curve"].evidence  # from answers that the judge measured
