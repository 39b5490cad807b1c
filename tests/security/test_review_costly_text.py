"""Texts that would cost the web process or the judge minutes or gigabytes to read, with all other threads stopped."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from autograder.checks import registry
from autograder.checks.base import Context
from autograder.errors import UploadRefused
from autograder.intake import unpack
from autograder.intake.code import python_files
from autograder.model import Observation, Outcome

BRACES = "x = f'" + "{a}" * 80_000 + "'\n"
NESTED = "".join(" " * depth + "def f():\n" for depth in range(98)) + " " * 98 + "a;" * 20_000
CHAINS = "\n".join("a" + ".b" * 200 for _ in range(250))


@contextmanager
def seconds_of_work(most: float) -> Iterator[None]:
    """No more processor time than that; what is held off here took five to a hundred times as much."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < most


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


CHECK = registry.all_checks()["source"]  # loaded before anything is timed


def judged(code: bytes, name: str, **params: object) -> Outcome:
    files = python_files({name: code}, name)
    return CHECK.judge(Observation("source", {"files": files}), Context(), CHECK.Params.model_validate(params))


UPLOADS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "braces of an f-string": lambda: ("a.py", BRACES.encode()),
    "a name of many parts": lambda: ("a.py", b"import a" + b".a" * 30_000),
    "a name of many parts, far apart": lambda: ("a.py", b"from a" + b" . \\\n a" * 30_000 + b" import b"),
    "a statement a line": lambda: ("a.py", b"a\n" * 400_000),
    "lists": lambda: ("a.ipynb", b'{"cells": [' + b"[]," * 4_000_000 + b"1]}"),
    "objects": lambda: ("a.ipynb", b'{"cells": [' + b"{}," * 4_000_000 + b"1]}"),
    "lists in lists": lambda: ("a.ipynb", b'{"cells": [' + b"[[[]]]," * 2_000_000 + b"1]}"),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_that_is_costly_to_read_is_refused_at_once(name: str) -> None:
    filename, content = UPLOADS[name]()
    with seconds_of_work(0.4), pytest.raises(UploadRefused) as caught:
        unpack(filename, content)
    assert caught.value.hint


TEXTS: dict[str, Callable[[], bytes]] = {
    "a long line of spaces": lambda: notebook(" " * 30_000 + "$"),
    "a line of spaces that looks like an assignment": lambda: notebook(" " * 30_000 + "x" + " " * 30_000 + "$"),
    "a cell of megabytes": lambda: notebook("a\n" * 1_000_000),
    "many cells": lambda: notebook(*["a\n" * 50_000] * 20),
    "braces of an f-string": lambda: notebook(BRACES),
    "a word of very many letters": lambda: notebook("a" * 390_000 + "$"),
    "words and dots": lambda: notebook("a " * 90_000 + "a. " * 60_000 + "$"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_judge_reads_a_costly_notebook_quickly(name: str) -> None:
    content = TEXTS[name]()
    with seconds_of_work(1.5):
        outcome = judged(content, "submission.ipynb", must_not_call=["eval"])
    assert outcome.fraction == 0.0


@pytest.mark.parametrize(("code", "within"), [(NESTED, "f"), (CHAINS, "")])
def test_the_judge_walks_a_costly_tree_once(code: str, within: str) -> None:
    with seconds_of_work(2.5):
        judged(code.encode(), "submission.py", within=within, must_not_call=["eval"])


@pytest.mark.parametrize("line", [b"#" * 20_000_000, b"# coding: utf-8 " * 1_000_000, b"# coding:" + b" " * 20_000_000])
def test_the_encoding_of_a_module_is_found_quickly(line: bytes) -> None:
    with seconds_of_work(4):
        python_files({"a.py": b"x = 1", "b.py": line}, "a.py")


def test_of_many_notebooks_only_so_much_is_parsed() -> None:
    work = notebook("%cd x\n" + "a\n" * 150_000)
    with seconds_of_work(30):
        files = python_files({"a.py": b"x = 1"} | {f"{number}.ipynb": work for number in range(40)}, "a.py")
    assert "not read" in files[-1]["code"]


@pytest.mark.parametrize("module", ["." * 60_000, "a" * 60_000, "a . " * 15_000 + "a"])
def test_many_names_of_a_module_with_a_long_name_take_no_gigabytes(module: str) -> None:
    code = f"from {module} import {','.join(f'a{number}' for number in range(3_000))}\n"
    tracemalloc.start()
    try:
        outcome = judged(code.encode(), "helper.py", must_not_import=["os"])
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.fraction == 0.0
    assert most < 100 << 20
