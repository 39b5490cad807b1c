"""Code that runs but that the check `source` would not read. What is built at run time (exec, getattr) stays hidden."""

from __future__ import annotations

import json

import pytest

from autograder.checks.base import Context
from autograder.checks.source import Source, SourceParams
from autograder.intake.code import python_files
from autograder.model import Observation, Verdict

TAKEN = "import numpy as np\ndef solve(a):\n    return np.linalg.inv(a)\n"
PLACES = {
    "a cell that writes a module": ("%%writefile helper.py\n" + TAKEN, "from helper import solve"),
    "a cell that is moved to the right": ("".join(f"  {line}\n" for line in TAKEN.splitlines()),),
    "behind a magic": ("import numpy as np\ndef solve(a):\n    x = %time np.linalg.inv(a)\n    return x",),
    "behind a magic with options": ("import numpy as np\n%timeit -n 1 -r1 np.linalg.inv(a)",),
    "a cell for another Python": ("%%python\n" + TAKEN,),
    "a cell that only IPython can read": (TAKEN + "\n%cd /tmp\nfiles = !ls\n/solve a b",),
}


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def judged(files: dict[str, bytes]) -> Verdict:
    read = python_files(files, "submission.ipynb")
    params = SourceParams(must_not_call=("numpy.linalg.*",))
    return Source().judge(Observation("source", {"files": read}), Context(), params).verdict


@pytest.mark.parametrize("name", PLACES)
def test_a_forbidden_call_is_found_wherever_it_would_run(name: str) -> None:
    assert judged({"submission.ipynb": notebook(*PLACES[name])}) is Verdict.FAILED


def test_a_second_notebook_is_read() -> None:
    main = notebook("%run other.ipynb", "x = solve(1)")
    assert judged({"submission.ipynb": main, "other.ipynb": notebook(TAKEN)}) is Verdict.FAILED


def test_ordinary_cells_pass() -> None:
    cells = ("!pip install torch", "%matplotlib inline\nx = 1", "%%html\n<b>not Python</b>", "%%bash\nls -l", "x?")
    assert judged({"submission.ipynb": notebook(*cells)}) is Verdict.PASSED
