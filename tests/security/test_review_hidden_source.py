"""Code that runs but that the check `source` would not read. What is built at run time (exec, getattr) stays hidden."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from autograder.checks.base import Context
from autograder.checks.source import Source, SourceParams
from autograder.intake import unpack
from autograder.intake.code import python_files
from autograder.model import Observation, Verdict
from tests.security.grading import zipped

TAKEN = "import numpy as np\ndef solve(a):\n    return np.linalg.inv(a)\n"
PLACES = {
    "a cell that writes a module": ("%%writefile helper.py\n" + TAKEN, "from helper import solve"),
    "a cell that is moved to the right": ("".join(f"  {line}\n" for line in TAKEN.splitlines()),),
    "behind a magic": ("import numpy as np\ndef solve(a):\n    x = %time np.linalg.inv(a)\n    return x",),
    "behind a magic with options": ("import numpy as np\n%timeit -n 1 -r1 np.linalg.inv(a)",),
    "a cell for another Python": ("%%python\n" + TAKEN,),
    "a cell that only IPython can read": (TAKEN + "\n%cd /tmp\nfiles = !ls\n/solve a b",),
    "between two cells that are skipped": ('x = """', TAKEN, '"""'),
    "between two magics that go on": ('%cd /tmp \\\n"""\n' + TAKEN + '%cd /tmp \\\n"""',),
    "a line that ends like a question": ("%matplotlib inline\nfrom numpy.linalg import inv\nb = inv(a)  # really?",),
    "behind a string's end that looks like a magic": (f'%matplotlib inline\ns = """\n% """\n{TAKEN}t = """\n"""',),
    "behind the profiler's options": ("import numpy as np\n%prun -s time np.linalg.inv(a)",),
    "a magic that imports": ("%pylab\nb = np.linalg.inv(a)",),
    "another magic that imports": ("%aimport numpy\nb = numpy.linalg.inv(a)",),
    "in braces that a magic evaluates": ("import numpy as np\n%cd {np.linalg.inv(a)}",),
    "behind another end of line": (f"%cd /tmp\r{TAKEN}",),
    "a module whose name is worked out": ("%%writefile {name}\n" + TAKEN, "from helper import solve"),
    "a file of another kind that is run": ("%run helper.txt",),
    "a file of another kind behind an option": ("%run -l x.py helper.txt",),
    "a file of another kind in quotes": ('%run "my work.txt"',),
    "a file of another kind that seems to be a module": ("%run helper.txt # .py",),
    "a module in another encoding": ("%%writefile helper.py\n# coding: utf-7\n# +AAo-" + TAKEN, "from helper import *"),
}


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def judged(files: Mapping[str, bytes], main: str = "submission.ipynb") -> Verdict:
    read = python_files(files, main)
    params = SourceParams(must_not_call=("numpy.linalg.*",))
    return Source().judge(Observation("source", {"files": read}), Context(), params).verdict


@pytest.mark.parametrize("name", PLACES)
def test_a_forbidden_call_is_found_wherever_it_would_run(name: str) -> None:
    assert judged({"submission.ipynb": notebook(*PLACES[name])}) is Verdict.FAILED


def test_a_second_notebook_is_read() -> None:
    main = notebook("%run other.ipynb", "x = solve(1)")
    assert judged({"submission.ipynb": main, "other.ipynb": notebook(TAKEN)}) is Verdict.FAILED


@pytest.mark.parametrize("name", ["utf-7", "UTF_7", "rot13", "cp037"])
def test_a_module_whose_comments_are_code_is_not_taken_for_read(name: str) -> None:
    helper = f"#!/usr/bin/python\n# -*- coding: {name} -*-\nx = 1  # +AAo-import numpy\n".encode()
    assert judged({"submission.ipynb": notebook("import helper"), "helper.py": helper}) is Verdict.FAILED


@pytest.mark.parametrize("name", ["utf-8", "UTF_8", "latin-1", "iso-8859-15", "cp1252", "ascii"])
def test_a_module_in_a_usual_encoding_is_read(name: str) -> None:
    helper = f"# vim: set fileencoding={name} :\n{TAKEN}".encode()
    assert judged({"submission.ipynb": notebook("import helper"), "helper.py": helper}) is Verdict.FAILED
    helper = f"# vim: set fileencoding={name} :\nx = 1\n".encode()
    assert judged({"submission.ipynb": notebook("import helper"), "helper.py": helper}) is Verdict.PASSED


@pytest.mark.parametrize("name", ["Submission.IPYNB", "work.Ipynb"])
def test_a_notebook_with_a_capital_ending_is_no_module_of_harmless_json(name: str) -> None:
    cells = [{"cell_type": "code", "source": TAKEN}]
    late = json.dumps({"metadata": {"title": "x" * 2000}, "nbformat_minor": 5, "cells": cells})  # it parses as Python
    upload = unpack("work.zip", zipped({name: late.encode()}))
    assert upload.main == name.split(".")[0] + ".ipynb"
    assert judged(upload.files, upload.main) is Verdict.FAILED


def test_a_second_notebook_with_a_capital_ending_is_read() -> None:
    assert judged({"submission.ipynb": notebook("x = 1"), "other.IPYNB": notebook(TAKEN)}) is Verdict.FAILED


def test_a_notebook_that_is_nested_as_deeply_as_can_just_be_read_is_not_taken_for_an_empty_one() -> None:
    deep = notebook(TAKEN)[:-1] + b', "metadata": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    assert judged({"submission.ipynb": deep, "helper.py": b"x = 1"}) is Verdict.FAILED


def test_a_notebook_of_two_formats_is_read_as_it_is_run() -> None:
    cells = [{"cell_type": "code", "source": TAKEN}]
    both = json.dumps({"cells": [], "worksheets": [{"cells": cells}]}).encode()
    assert judged({"submission.ipynb": notebook("%run other.ipynb"), "other.ipynb": both}) is Verdict.FAILED


def test_ordinary_cells_pass() -> None:
    cells = (
        "!pip install torch \\\n  numpy",
        "%matplotlib inline\nx = 1",
        "%%html\n<b>not Python</b>",
        "%%bash\nls -l",
    )
    cells += (
        "x?",
        "??x",
        "%load_ext autoreload\n%autoreload 2",
        "%%time\nx = 1",
        "%timeit -n 1 x",
        "%prun -s time f()",
    )
    cells += (
        "%run other.py",
        "%run -i parts/other",
        "files = !ls",
        "%cd {folder}/x",
        '%cd x\n"""\n!pip\nwhy?\n"""\ny = 2  # why?\n',
    )
    assert judged({"submission.ipynb": notebook(*cells)}) is Verdict.PASSED
