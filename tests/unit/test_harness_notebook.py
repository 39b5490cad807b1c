"""Notebook text to Python: magics, shell lines and broken cells, line for line."""

from __future__ import annotations

import ast
import json

import pytest

from harness.errors import HarnessError
from harness.notebook import clean, read_cells


def codes(text: str) -> list[tuple[int, str]]:
    return [(line, code) for line, code, _ in clean(text).notes]


@pytest.mark.parametrize(
    ("text", "code", "notes"),
    [
        ("x = 1", "x = 1", []),
        ("!pip install torch\nx = 1", "pass\nx = 1", [(1, "skipped_install")]),
        ("%pip install torch\nx = 1", "pass\nx = 1", [(1, "skipped_install")]),
        ("!python -m pip install -q x", "pass", [(1, "skipped_install")]),
        ("!wget http://x/y.zip && unzip y.zip", "pass", [(1, "skipped_shell")]),
        ("files = !ls data\nx = files", "files = []\nx = files", [(1, "skipped_shell")]),
        ("%matplotlib inline\nimport torch", "pass\nimport torch", []),
        ("%load_ext autoreload\n%autoreload 2", "pass\npass", []),
        ("%frobnicate now", "pass", [(1, "skipped_magic")]),
        ("%time f(3)", "f(3)", []),
        ("%timeit -n 10 f(3)", "f(3)", []),
        ("x = %time f(3)", "x = f(3)", []),
        ("%run helper.py", "from helper import *", []),
        ("model?\n?model\nmodel??", "pass\npass\npass", []),
        ("if True:\n    !ls\n    x = 1", "if True:\n    pass\n    x = 1", [(2, "skipped_shell")]),
        ("!pip install a \\\n    b c\nx = 1", "pass\n\nx = 1", [(1, "skipped_install")]),
        ("%%time\nx = 1", "\nx = 1", []),
        ("\n%%capture out\nx = 1\n!ls", "\n\nx = 1\npass", [(4, "skipped_shell")]),
        ("    x = 1\n    y = 2", "x = 1\ny = 2", []),
        ("x = 7\ny = (x\n     % 3)", "x = 7\ny = (x\n     % 3)", []),
        ('s = """\n!ls\n%time\n"""', 's = """\n!ls\n%time\n"""', []),
        ("print('it''s %d' %x)\n!echo \"it's\"", "print('it''s %d' %x)\npass", [(2, "skipped_shell")]),
    ],
)
def test_a_cell_becomes_python_of_the_same_lines(text: str, code: str, notes: list[tuple[int, str]]) -> None:
    cleaned = clean(text)
    assert cleaned.code == code
    assert [(line, kind) for line, kind, _ in cleaned.notes] == notes
    assert len(code.split("\n")) == len(text.split("\n"))
    ast.parse(code)


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%sh", "%%latex"])
def test_cells_of_other_languages_are_skipped_and_said(magic: str) -> None:
    cleaned = clean(f"{magic}\necho hi")
    assert cleaned.code is None
    assert cleaned.notes[0][1] == "skipped_magic"
    assert magic in cleaned.notes[0][2]


def test_writefile_cells_give_a_file() -> None:
    assert clean("%%writefile model.py\nimport torch\n").file == ("model.py", "import torch\n\n", False)
    appended = clean("%%writefile -a model.py\nx = 1").file
    assert appended == ("model.py", "x = 1\n", True)


@pytest.mark.parametrize("text", ["print 'hi'", "def f(:\n  pass", "x = (1,\n", "some plain prose", "x = '\x00'"])
def test_a_cell_that_is_no_python_is_left_out_and_said(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.code is None
    assert codes(text)[-1][1] == "unparsable_cell"
    assert "left out" in cleaned.notes[-1][2]


def test_the_line_of_a_syntax_error_is_told() -> None:
    assert codes("x = 1\ny = = 2\n") == [(2, "unparsable_cell")]


def test_many_shell_lines_take_no_quadratic_time() -> None:
    cleaned = clean("\n".join(["!ls"] * 400))
    assert cleaned.code == "\n".join(["pass"] * 400)


def test_cells_are_read_from_every_kind_of_notebook() -> None:
    modern = {"cells": [{"cell_type": "markdown", "source": "# hi"}, {"cell_type": "code", "source": ["a\n", "b"]}]}
    modern["cells"] += [{"cell_type": "raw", "source": "r"}, {"cell_type": "code", "source": "c\r\nd"}]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}
    assert [(c.name, c.text) for c in read_cells(json.dumps(modern).encode())] == [
        ("cell 1", "a\nb"),
        ("cell 2", "c\nd"),
    ]
    assert [(c.name, c.text) for c in read_cells(b"\xef\xbb\xbf" + json.dumps(old).encode())] == [("cell 1", "x = 1")]


@pytest.mark.parametrize("source", [None, 3, {"a": 1}, ["x", 3, None]])
def test_odd_sources_are_survived(source: object) -> None:
    cells = read_cells(json.dumps({"cells": [{"cell_type": "code", "source": source}, "what", None]}).encode())
    assert [c.name for c in cells] == ["cell 1"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"3", b'{"cells": 3}', b"[" * 100_000])
def test_what_is_no_notebook_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(HarnessError, match="Open it in Jupyter"):
        read_cells(data)
