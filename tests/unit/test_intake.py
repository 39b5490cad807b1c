"""Uploads: what is taken, what is refused in which words, and that nothing but a refusal ever comes out."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import stat
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.errors import UploadRefused
from autograder.intake import display_name, unpack

CODE = b"import torch\n\n\ndef f(x):\n    return x\n"


def notebook(*sources: object, **extra: object) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **extra}).encode()


def pack(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # zipfile warns of duplicate names, which some tests write on purpose
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pack_pairs(*pairs: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, content in pairs:
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else info(name), content)
    return buffer.getvalue()


def info(name: str, mode: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def raw_name(name: bytes) -> bytes:
    """An archive whose only entry carries exactly these name bytes."""
    placeholder = "x" * len(name)
    return pack({placeholder: CODE}).replace(placeholder.encode(), name)


def declared_size(size: int) -> bytes:
    """An archive whose directory claims another size than what comes out, with the CRC of the claimed prefix."""
    content = CODE + b"#" * 5000
    data = pack({"submission.py": content})
    lie = struct.pack("<I", size)
    crc = struct.pack("<I", zlib.crc32(content[:size]))
    data = data.replace(struct.pack("<I", zlib.crc32(content)), crc)
    return data.replace(struct.pack("<I", len(content)), lie)


def refusal(filename: str, data: bytes, max_mb: int = 5) -> UploadRefused:
    with pytest.raises(UploadRefused) as caught:
        unpack(filename, data, max_mb=max_mb)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


# ---------------------------------------------------------------------------------------------------- what is taken


def test_a_notebook_is_taken_under_a_name_of_ours() -> None:
    data = notebook("import torch")
    upload = unpack("C:\\Users\\me\\torch.ipynb", data)
    assert upload.filename == "torch.ipynb"
    assert upload.main == "submission.ipynb"
    assert upload.files == {"submission.ipynb": data}
    assert upload.digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "data",
    [
        notebook(["import torch\n", "x = 1"]),
        b"\xef\xbb\xbf" + notebook("x = 1"),
        notebook("x = 1", metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {}}}),
        notebook("this is no python(("),  # a cell that does not parse is dropped later, not the file
        notebook("!pip install torch", "%matplotlib inline"),
        json.dumps({"cells": [{"cell_type": "code", "source": "x"}, {"cell_type": "markdown"}]}).encode(),
        json.dumps(
            {
                "nbformat": 3,
                "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"], "language": "python"}]}],
            }
        ).encode(),
    ],
    ids=["list source", "bom", "widget state", "syntax", "magics", "bare cells", "format 3"],
)
def test_notebooks_that_real_students_have(data: bytes) -> None:
    assert unpack("hw.ipynb", data).main == "submission.ipynb"


@pytest.mark.parametrize("data", [CODE, b"\xef\xbb\xbfx = 1", b"x = '\\d'\n", b"x = 1\r\n", "π = 3".encode()])
def test_modules(data: bytes) -> None:
    assert unpack("HW.PY", data).files == {"submission.py": data}


@pytest.mark.parametrize(
    ("files", "main", "names"),
    [
        ({"submission.py": CODE, "helper.py": CODE, "w.pt": b"PK\x03\x04"}, "submission.py", 3),
        ({"hw1/nb.ipynb": notebook("x"), "hw1/lib/a.py": CODE, "hw1/lib/b.py": CODE}, "nb.ipynb", 3),
        ({"a/b/model.py": CODE, "a/b/w.safetensors": b"1"}, "model.py", 2),
        ({"Submission.py": CODE, "nb.ipynb": notebook("x")}, "Submission.py", 2),
        (
            {
                "x/m.py": CODE,
                "__MACOSX/x/._m.py": b"1",
                "x/.DS_Store": b"1",
                "x/__pycache__/m.pyc": b"1",
                ".git/HEAD": b"1",
            },
            "m.py",
            1,
        ),
        ({"m.py": CODE, ".ipynb_checkpoints/m-checkpoint.py": CODE}, "m.py", 1),
        ({"m.py": CODE, "data/": b"", "data/x.csv": b"1,2"}, "m.py", 2),
    ],
)
def test_archives(files: dict[str, bytes], main: str, names: int) -> None:
    upload = unpack("work.zip", pack(files))
    assert upload.main == main
    assert len(upload.files) == names
    assert upload.main in upload.files


def test_big_but_honest_files_are_no_bomb() -> None:
    weights = bytes(range(256)) * 4096
    assert unpack("w.zip", pack({"m.py": CODE, "w.npy": weights})).files["w.npy"] == weights


# -------------------------------------------------------------------------------------------------- what is refused

NOTEBOOK = notebook("x = 1")
REFUSED: list[tuple[str, str, bytes, str, str]] = [
    ("empty notebook", "a.ipynb", b"", "empty", "0 bytes"),
    ("blank notebook", "a.ipynb", b"  \n", "empty", "empty"),
    ("blank module", "a.py", b"\n\n", "empty", "empty"),
    ("bom only", "a.py", b"\xef\xbb\xbf", "empty", "empty"),
    ("comments only", "a.py", b"# todo\n", "no_code", "comments"),
    ("too large", "a.py", b"#" * (6 * 1024 * 1024), "too_large", "at most 5 MB"),
    ("module too large", "a.py", b"#" * (300 * 1024), "module_too_large", "module may have 256 KB"),
    ("pdf", "a.pdf", b"%PDF", "unknown_type", ".pdf"),
    ("html export", "a.html", b"<html>", "unknown_type", ".html"),
    ("no ending", "notebook", NOTEBOOK, "unknown_type", "no file ending"),
    ("browser renamed", "a.ipynb.json", NOTEBOOK, "unknown_type", ".json"),
    ("rar", "a.rar", b"Rar!", "unknown_type", ".rar"),
    ("log-in page", "a.ipynb", b"\n<!DOCTYPE html><html>", "not_what_it_says", "log-in page"),
    ("log-in page as module", "a.py", b"<html><body>", "not_what_it_says", "log-in page"),
    ("zip as notebook", "a.ipynb", pack({"a.py": CODE}), "not_what_it_says", "ZIP"),
    ("zip as module", "a.py", pack({"a.py": CODE}), "not_what_it_says", "ZIP"),
    ("notebook as module", "a.py", NOTEBOOK, "not_what_it_says", "a notebook"),
    ("utf-16", "a.py", "x = 1".encode("utf-16"), "not_what_it_says", "UTF-16"),
    ("pdf as notebook", "a.ipynb", b"%PDF-1.7", "not_what_it_says", "PDF"),
    ("latin-1", "a.py", b"x = 1\n# \xe9t\xe9\n", "not_utf8", "line 2"),
    ("syntax", "a.py", b"x = 1\ndef f(:\n", "syntax_error", "line 2"),
    ("magic in module", "a.py", b"!pip install torch\n", "syntax_error", "!pip"),
    ("conflict in module", "a.py", b"<<<<<<< HEAD\nx\n", "syntax_error", "<<<<<<<"),
    ("null bytes", "a.py", b"x = 1\0", "syntax_error", "null"),
    ("deep nesting", "a.py", b"(" * 5000 + b")" * 5000, "syntax_error", ""),
    ("deep unary", "a.py", b"-" * 200_000 + b"1", "syntax_error", ""),
    ("deep attribute", "a.py", b"a" + b".a" * 100_000, "syntax_error", ""),
    ("deep call", "a.py", b"f" + b"()" * 100_000, "syntax_error", ""),
    ("deep sum", "a.py", b"1" + b"+1" * 100_000, "syntax_error", ""),
    ("not json", "a.ipynb", b'{\n "cells": [}, 1]\n}\n', "not_json", "line 2, column"),
    ("cut off", "a.ipynb", NOTEBOOK[:-10], "not_json", "ends too early"),
    ("deep json", "a.ipynb", b'{"cells":' + b"[" * 100_000, "not_json", "deep"),
    ("absurd number", "a.ipynb", b'{"cells": ' + b"9" * 5000 + b"}", "not_json", "absurd"),
    ("merge conflict", "a.ipynb", b'{\n<<<<<<< HEAD\n"a"\n>>>>>>> x\n}', "merge_conflict", "merge"),
    ("json list", "a.ipynb", b"[]", "not_a_notebook", "not a notebook"),
    ("json without cells", "a.ipynb", b'{"a": 1}', "not_a_notebook", "no list of cells"),
    ("cells no list", "a.ipynb", b'{"cells": {}}', "not_a_notebook", "no list of cells"),
    ("no cells", "a.ipynb", notebook(), "no_cells", "no cells"),
    ("blank cells", "a.ipynb", notebook("", [" \n"]), "no_code", "2 cells"),
    ("markdown only", "a.ipynb", b'{"cells":[{"cell_type":"markdown","source":"x"}]}', "no_code", "no code"),
    ("damaged cell", "a.ipynb", notebook("x", {"a": 1}), "damaged_cell", "Cell 2"),
    ("cell no object", "a.ipynb", b'{"cells": [1]}', "damaged_cell", "Cell 1"),
    ("no zip", "a.zip", b"hello", "not_a_zip", "not a ZIP"),
    ("html as zip", "a.zip", b"<html>", "not_a_zip", "web page"),
    ("rar as zip", "a.zip", b"Rar!\x1a\x07\x00", "not_a_zip", "RAR"),
    ("cut zip", "a.zip", pack({"a.py": CODE})[:-30], "damaged_zip", "damaged"),
    ("empty zip", "a.zip", pack({}), "no_main", "empty"),
    ("nothing to grade", "a.zip", pack({"x.csv": b"1"}), "no_main", "x.csv"),
    ("two notebooks", "a.zip", pack({"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}), "ambiguous_main", "a.ipynb, b.ipynb"),
    ("two modules", "a.zip", pack({"a.py": CODE, "b.py": CODE}), "ambiguous_main", "a.py, b.py"),
    (
        "two submissions",
        "a.zip",
        pack({"submission.py": CODE, "submission.ipynb": NOTEBOOK}),
        "ambiguous_main",
        "submission.ipynb",
    ),
    ("broken inside", "a.zip", pack({"a.py": b"def f(:"}), "syntax_error", "a.py"),
    ("dot dot", "a.zip", pack({"../a.py": CODE}), "unsafe_path", "leads out"),
    ("dot dot inside", "a.zip", pack({"a/../../a.py": CODE}), "unsafe_path", "leads out"),
    ("absolute", "a.zip", pack({"/etc/a.py": CODE}), "unsafe_path", "absolute"),
    ("drive", "a.zip", pack({"C:/a.py": CODE}), "unsafe_path", "absolute"),
    ("backslash", "a.zip", pack({"a\\b.py": CODE}), "unsafe_path", "backslash"),
    ("dot dot in junk", "a.zip", pack({"__MACOSX/../../a.py": CODE}), "unsafe_path", "leads out"),
    ("NUL", "a.zip", raw_name(b"a.py\0.txt"), "bad_name", "invisible"),
    ("escape", "a.zip", pack({"a\x1b[31m.py": CODE}), "bad_name", "invisible"),
    ("newline", "a.zip", pack({"a\nb.py": CODE}), "bad_name", "invisible"),
    ("bidi", "a.zip", pack({"a\u202eyp.py": CODE}), "bad_name", "invisible"),
    ("zero width", "a.zip", pack({"a\ufeff.py": CODE}), "bad_name", "invisible"),
    ("trailing dot", "a.zip", pack({"a./b.py": CODE}), "bad_name", "every computer"),
    ("leading space", "a.zip", pack({" a.py": CODE}), "bad_name", "every computer"),
    ("double slash", "a.zip", pack({"a//b.py": CODE}), "bad_name", "every computer"),
    ("dot", "a.zip", pack({"./a.py": CODE}), "bad_name", "every computer"),
    ("stream", "a.zip", pack({"a.py:x.py": CODE}), "bad_name", "every computer"),
    ("con", "a.zip", pack({"CON.py": CODE}), "device_name", "device"),
    ("nul folder", "a.zip", pack({"nul/a.py": CODE}), "device_name", "device"),
    ("com1", "a.zip", pack({"com1.tar.py": CODE}), "device_name", "device"),
    ("com superscript", "a.zip", pack({"COM¹.py": CODE}), "device_name", "device"),
    ("long path", "a.zip", pack({"a" * 250 + ".py": CODE}), "long_path", "200 bytes"),
    ("deep path", "a.zip", pack({"a/" * 10 + "a.py": CODE}), "long_path", "levels"),
    ("duplicate", "a.zip", pack_pairs(("a.py", CODE), ("a.py", b"evil = 1")), "duplicate_name", "twice"),
    ("case", "a.zip", pack({"Model.py": CODE, "model.py": CODE}), "duplicate_name", "same name"),
    ("case of folder", "a.zip", pack({"A/x.py": CODE, "a/y.py": CODE}), "duplicate_name", "same name"),
    ("ligature", "a.zip", pack({"ﬁt.py": CODE, "fit.py": CODE}), "duplicate_name", "same name"),
    ("accents", "a.zip", pack({"e\u0301.py": CODE, "é.py": CODE}), "duplicate_name", "same name"),
    ("sharp s", "a.zip", pack({"ß.py": CODE, "SS.py": CODE}), "duplicate_name", "same name"),
    ("file and folder", "a.zip", pack({"a.py": CODE, "a.py/b.py": CODE}), "duplicate_name", "same name"),
    ("link", "a.zip", pack_pairs((info("a.py", stat.S_IFLNK | 0o777), b"/etc/passwd")), "link", "link"),
    ("fifo", "a.zip", pack_pairs((info("a.py", stat.S_IFIFO), b"")), "special_file", "ordinary"),
    ("device", "a.zip", pack_pairs((info("a.py", stat.S_IFCHR), b"")), "special_file", "ordinary"),
    ("executable", "a.zip", pack({"a.py": CODE, "x.so": b"\x7fELF"}), "type_in_archive", "x.so"),
    ("pickle", "a.zip", pack({"a.py": CODE, "x.pkl": b"1"}), "type_in_archive", "x.pkl"),
    ("no suffix", "a.zip", pack({"a.py": CODE, "Makefile": b"1"}), "type_in_archive", "Makefile"),
    ("nested zip", "a.zip", pack({"a.py": CODE, "b.zip": pack({})}), "nested_archive", "inside"),
    ("nested tar", "a.zip", pack({"a.py": CODE, "b.tar.gz": b"1"}), "nested_archive", "inside"),
    ("hidden zip", "a.zip", pack({"a.py": CODE, "b.txt": pack({"c": b"1"})}), "nested_archive", "inside"),
    ("entries", "a.zip", pack({f"f{i}.py": b"x" for i in range(250)}), "too_many_files", "200"),
    ("bzip2", "a.zip", pack({"a.py": CODE}, zipfile.ZIP_BZIP2), "unknown_compression", "unusual"),
    ("lzma", "a.zip", pack({"a.py": CODE}, zipfile.ZIP_LZMA), "unknown_compression", "unusual"),
    ("bomb", "a.zip", pack({"a.py": CODE, "z.npy": bytes(8 * 1024 * 1024)}), "ratio", "bomb"),
    ("declared small", "a.zip", declared_size(20), "damaged_zip", "damaged"),
    ("declared zero", "a.zip", declared_size(0), "damaged_zip", "damaged"),
]


@pytest.mark.parametrize(("name", "data", "code", "words"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused_with_a_reason(name: str, data: bytes, code: str, words: str) -> None:
    error = refusal(name, data)
    assert error.code == code
    assert words in error.message


def test_too_much_when_unpacked() -> None:
    """Files that pack thirty to one are no bombs, but forty megabytes of them are too much under a limit of five."""
    source = random.Random(0)
    files = {f"z{n}.npy": b"".join(source.randbytes(100) + bytes(2900) for _ in range(1000)) for n in range(12)}
    assert refusal("a.zip", pack({"a.py": CODE, **files})).code == "unpacks_too_large"


def test_the_api_page_names_every_code_of_a_refusal() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    table = page[page.index("Codes of refused uploads") : page.index("Other codes:")]
    others = {"encrypted", "notebook_too_large", "unpacks_too_large"}  # tested on their own below
    assert {row[3] for row in REFUSED} | others == set(re.findall(r"`(\w+)`", table))


def test_encrypted_archives_are_refused() -> None:
    data = bytearray(pack({"a.py": CODE}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    error = refusal("a.zip", bytes(data))
    assert error.code == "encrypted"


def test_a_notebook_full_of_outputs_is_told_to_clear_them() -> None:
    data = notebook("x = 1", padding="x" * (17 * 1024 * 1024))
    error = refusal("a.ipynb", data, max_mb=50)
    assert error.code == "notebook_too_large"
    assert "Clear its outputs" in error.hint


def test_many_small_bombs_are_refused_together() -> None:
    part = pack({"a.py": CODE, **{f"z{i}.npy": bytes(1024 * 1024) for i in range(40)}})
    assert refusal("a.zip", part, max_mb=20).code == "ratio"


def test_a_lie_about_the_size_is_stopped_while_reading() -> None:
    """A hundred megabytes of zeros that claim to be ten bytes never lie in memory."""
    content = bytes(100 * 1024 * 1024)
    data = pack({"submission.py": content}).replace(struct.pack("<I", len(content)), struct.pack("<I", 10))
    del content
    tracemalloc.start()
    error = refusal("a.zip", data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.code == "ratio"
    assert peak < 20 * 1024 * 1024


def test_a_directory_of_a_million_records_costs_little() -> None:
    record = b"PK\x01\x02" + bytes(42)
    directory = record * 100_000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, len(directory), 4, 0)
    started = time.monotonic()
    error = refusal("a.zip", b"PK\x03\x04" + directory + end, max_mb=50)
    assert error.code == "too_many_files"
    assert time.monotonic() - started < 1


def test_refused_names_are_shown_without_their_tricks() -> None:
    error = refusal("a.zip", pack({"a\u202e\x1b[2Jb.py": CODE}))
    assert "\x1b" not in error.message
    assert "\u202e" not in error.message


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("../../etc/passwd.py", "passwd.py"),
        ("C:\\temp\\a.py", "a.py"),
        ("a\x00b\u202e.py", "ab.py"),
        ("<script>alert(1)</script>.py", "script>.py"),
        ("", "upload"),
        ("...", "upload"),
        ("\ud800.py", "py"),
        ("x" * 300 + ".ipynb", "x" * 113 + "….ipynb"),
        ("Übung 1 (final).ipynb", "Übung 1 (final).ipynb"),
    ],
)
def test_display_name(raw: str, shown: str) -> None:
    assert display_name(raw) == shown


# ------------------------------------------------------------------------------------------ whatever comes, no crash

EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = [
    pack({"hw/submission.py": CODE, "hw/helper.py": CODE, "hw/w.pt": b"12345"}),
    pack({"nb.ipynb": NOTEBOOK}, zipfile.ZIP_STORED),
    NOTEBOOK,
    CODE,
]


def survives(name: str, data: bytes) -> None:
    """Either an upload whose parts fit together, or a refusal with words."""
    try:
        upload = unpack(name, data, max_mb=1)
    except UploadRefused as error:
        refused = error
        upload = None
    if upload is None:
        assert refused.message
        assert refused.hint
        assert refused.code
        return
    assert upload.main in upload.files
    for path in upload.files:
        assert not path.startswith("/")
        assert ".." not in path.split("/")


@EXAMPLES
@given(st.text(), st.sampled_from([".ipynb", ".py", ".zip", ""]), st.binary(max_size=2000))
def test_random_bytes(stem: str, suffix: str, data: bytes) -> None:
    survives(stem + suffix, data)


@EXAMPLES
@given(st.sampled_from([".ipynb", ".py", ".zip"]), st.sampled_from(SEEDS), st.data())
def test_mutated_files(suffix: str, seed: bytes, data: st.DataObject) -> None:
    mutated = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 12))):
        position = data.draw(st.integers(0, len(mutated) - 1))
        end = position + data.draw(st.integers(0, 8))
        mutated[position:end] = data.draw(st.binary(max_size=8))
        if not mutated:
            break
    survives("work" + suffix, bytes(mutated))


NAMES = st.text(st.sampled_from("aAé\u0301ﬁß./\\:\0 \n\u202eCON1~"), max_size=12).map(lambda stem: stem + ".py")


@EXAMPLES
@given(st.lists(st.tuples(NAMES, st.binary(max_size=50)), max_size=6))
def test_archives_with_wild_names(pairs: list[tuple[str, bytes]]) -> None:
    survives("work.zip", pack_pairs(*pairs))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda child: (
        st.lists(child, max_size=4)
        | st.dictionaries(st.sampled_from(["cells", "source", "cell_type", "worksheets", "input"]), child, max_size=4)
    ),
    max_leaves=20,
)


@EXAMPLES
@given(JSON)
def test_json_of_any_shape(tree: object) -> None:
    survives("work.ipynb", json.dumps(tree).encode())
