"""Two gradings agree to the last bit, whatever switches a submission turns, on servers that were started apart."""

from __future__ import annotations

from autograder import pipeline
from autograder.comparing import differences
from autograder.config import settings
from autograder.intake import unpack
from autograder.proof.watch import Recorder
from autograder.sandbox import open_sandbox
from autograder.sandbox.base import Sandbox
from autograder.specs.dataset import DataSet
from autograder.specs.loader import LoadedSpec
from autograder.specs.solutions import Solution

RESTLESS = """
torch.use_deterministic_algorithms(False)
torch.backends.cudnn.benchmark = True
torch.set_num_threads(2)
ORDER = list({"anger", "fear", "joy", "love", "sadness", "surprise", "hope", "trust"})
torch.manual_seed(sum(n * ord(word[0]) for n, word in enumerate(ORDER)))
"""


def test_gradings_are_repeated_to_the_last_bit(
    tiny: LoadedSpec, data: DataSet, solutions: dict[str, Solution], sandbox: Sandbox
) -> None:
    text = solutions["accepted/reference"].data.decode().replace(
        "    optimizer = torch", RESTLESS.replace("\n", "\n    ") + "\n    optimizer = torch"
    ).replace("batch_size=batch_size, shuffle=True", "batch_size=batch_size, shuffle=True, num_workers=4")  # fmt: skip
    upload = unpack("restless.py", text.encode())
    other = open_sandbox(settings())
    first, second = Recorder(), Recorder()
    try:
        reports = [
            pipeline.grade(tiny, upload, box, data=data, witness=seen)
            for box, seen in ((sandbox, first), (other, second))
        ]
    finally:
        other.close()
    assert first.outcomes["accuracy"].fraction == 1.0
    assert first.digests == second.digests
    assert differences(reports[0].checks, reports[1].checks) == []
    assert reports[0].receipt == reports[1].receipt
