"""What the harness does about the memory of a graphics card, on a machine that has none."""

from __future__ import annotations

import json
import subprocess

from autograder.config import ROOT, settings
from tests.harness.client import Harness

# PyTorch's own three functions are played: a card of 80 GB, and a note of what it was told.
PLAYED = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
import torch
from harness.probes.loading import limit_card
told = []
torch.cuda.is_available = lambda: True
torch.cuda.get_device_properties = lambda number: types.SimpleNamespace(total_memory=80 << 30)
torch.cuda.set_per_process_memory_fraction = lambda fraction, device: told.append([fraction, device])
limit_card(8192)
limit_card(1 << 20)
print(json.dumps(told))
"""


def test_pytorch_is_told_its_share_of_the_card() -> None:
    command = [str(settings().runtime_python), "-c", PLAYED, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[0.1, 0], [1.0, 0]]


def test_without_a_card_the_limit_changes_nothing(harness: Harness) -> None:
    files = [{"name": "submission.py", "data": b"def f(): return 1"}]
    asked = {"files": files, "main": "submission.py", "mode": "definitions", "seed": 0, "gpu_memory_mb": 1024}
    assert harness.result("load", **asked)["names"] == {"f": "function"}
