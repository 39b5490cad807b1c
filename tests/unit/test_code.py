"""The text of an upload as the judge reads it: it parses, and nothing is run."""

from __future__ import annotations

import ast
import json

import pytest

from autograder.intake.code import line_counts, python_files


def notebook(*cells: str) -> bytes:
    kinds = [{"cell_type": "code", "source": text.splitlines(keepends=True)} for text in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "text"}, *kinds]}).encode()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("x = 1", "x = 1"),
        ("!pip install torch\nx = 1", "pass\nx = 1"),
        ("if True:\n    %matplotlib inline\n", "if True:\n    pass\n"),
        ("files = !ls\ny = 2", "files = None\ny = 2"),
        ("torch.nn?\nz = 3", "pass\nz = 3"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%bash\nrm -rf x", ""),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        ("def f():\n    x = %time g(1)\n    %timeit -n 10 -r3 h(x)", "def f():\n    x = g(1)\n    h(x)"),
        ("%%writefile helper.py\nx = 1", "\nx = 1"),
        ("%%writefile notes.txt\nnot Python", ""),
        ('s = """\n%d of them\n"""', 's = """\n%d of them\n"""'),
    ],
)
def test_magics_are_blanked_and_the_rest_is_kept(cell: str, expected: str) -> None:
    (file,) = python_files({"a.ipynb": notebook(cell)}, "a.ipynb")
    assert file == {"name": "a.ipynb", "code": expected}
    ast.parse(file["code"])


def test_a_cell_that_is_no_python_is_kept_so_that_it_shows() -> None:
    (file,) = python_files({"a.ipynb": notebook("x = 1", "def broken(:")}, "a.ipynb")
    assert file["code"] == "x = 1\n\nthis cell is no Python\ndef broken(:"


def test_the_main_file_comes_first_and_only_python_is_read() -> None:
    files = {"a.py": b"a = 1", "submission.py": b"\xef\xbb\xbfb = 2", "data.csv": b"1,2"}
    assert [f["name"] for f in python_files(files, "submission.py")] == ["submission.py", "a.py"]
    assert python_files(files, "submission.py")[0]["code"] == "b = 2"
    for rubbish in (b"[]", b"{", b'{"cells": 3}'):
        assert python_files({"a.ipynb": rubbish}, "a.ipynb")[0]["code"] == "this notebook can not be read"
    no_text = b'{"cells": [3, {"cell_type": "code", "source": 4}]}'
    assert python_files({"a.ipynb": no_text}, "a.ipynb")[0]["code"].strip() == ""


def test_lines_are_counted_by_the_places_that_the_harness_names() -> None:
    files = {"a.ipynb": notebook("x = 1\ny = 2", "z = 3"), "more/b.py": b"one\ntwo\n", "words.txt": b"w"}
    assert line_counts(files, "a.ipynb") == {"more/b.py": 3, "cell 1": 2, "cell 2": 1}
    assert line_counts(files, "more/b.py") == {"more/b.py": 3}
    assert line_counts({"a.ipynb": b"{"}, "a.ipynb") == {}


def test_very_many_helpers_are_not_all_read() -> None:
    lists = b'{"cells": [{"cell_type": "code", "source": "x = 1", "o": [' + b"[]," * 400_000 + b"[]]}]}"
    files = {f"h{number}.ipynb": lists for number in range(9)} | {"main.py": b"y = 2"}
    codes = [file["code"] for file in python_files(files, "main.py")]
    assert codes[:3] == ["y = 2", "x = 1", "x = 1"]
    assert len(codes) == 10
    for code in codes[3:]:
        with pytest.raises(SyntaxError):
            compile(code, "h.py", "exec")
