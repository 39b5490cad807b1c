"""Definitions-only loading: what is kept, what waits, what is dropped, and what asking for a name does."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.definitions import Sorter, Step, bound_names, is_main_guard
from harness.errors import BadRequest, HarnessError
from harness.loading import DefinitionLoader, HelperFinder, Notes, parse_file, prepare, write_file
from harness.notebook import Cell
from harness.packages import Placeholder


def steps(text: str) -> list[Step]:
    return [unit.step for unit in Sorter().sort(ast.parse(text).body)]


def load(*cells: str) -> tuple[dict[str, Any], Notes, DefinitionLoader]:
    notes, namespace = Notes(), {"__name__": "__main__"}
    loader = DefinitionLoader(namespace, notes)
    for number, text in enumerate(cells, start=1):
        tree = prepare(Cell(f"cell {number}", text), notes, Path("nowhere"))
        if tree is not None:
            loader.load(f"cell {number}", tree)
    return namespace, notes, loader


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("import os", Step.IMPORT),
        ("def f(): pass", Step.DEFINE),
        ("async def f(): pass", Step.DEFINE),
        ("@decorated\nclass A: pass", Step.DEFINE),
        ("x = 32", Step.SIMPLE),
        ("x: int = 32", Step.SIMPLE),
        ("x, y = 1, 'a'", Step.SIMPLE),
        ("hidden = 2 * 64", Step.SIMPLE),
        ("classes = ['cat', 'dog']\nn = len(classes)", Step.SIMPLE),
        ("import torch\ndevice = torch.device('cuda' if torch.cuda.is_available() else 'cpu')", Step.SIMPLE),
        ("import torch\nif torch.cuda.is_available():\n  d = 'cuda'\nelse:\n  d = 'cpu'", Step.SIMPLE),
        ("f = lambda x: x + 1", Step.SIMPLE),
        ("import torch.nn as nn\nact = {'relu': nn.ReLU}", Step.SIMPLE),
        ("ids = {c: i for i, c in enumerate('abc')}", Step.SIMPLE),
        ("config = {}\nconfig['lr'] = 0.1", Step.SIMPLE),
        ("class A: pass\ndef f(self): pass\nA.forward = f", Step.SIMPLE),
        ("x = 1\nx += 1", Step.SIMPLE),
        ("try:\n  import torch\nexcept ImportError:\n  torch = None", Step.DEFINE),
        ("if True:\n  import torch", Step.DEFINE),
        ("model = Net(3, 10).to(device)", Step.LAZY),
        ("vocab = build(words)", Step.LAZY),
        ("with open('x') as f:\n  words = f.read()", Step.LAZY),
        ("x = 9 ** 9 ** 9", Step.LAZY),
        ("n = len(unknown)", Step.LAZY),
        ("cfg = make()\ncfg.lr = 0.1", Step.LAZY),
        ("for x in range(3): pass", Step.DROPPED),
        ("while True: pass", Step.DROPPED),
        ("train(model)", Step.DROPPED),
        ("if __name__ == '__main__':\n  import os\n  main()", Step.DROPPED),
        ("if '__main__' == __name__:\n  main()", Step.DROPPED),
        ("if not os.path.exists('x'):\n  download()", Step.DROPPED),
        ("del x", Step.DROPPED),
        ("import matplotlib.pyplot as plt\nplt.show = patched()", Step.DROPPED),
        ("assert False", Step.DROPPED),
        ("x: int", Step.DROPPED),
    ],
)
def test_the_fate_of_a_statement(text: str, last: Step) -> None:
    assert steps(text)[-1] is last


def test_names_bound_by_nested_statements_are_found() -> None:
    text = "try:\n  a = 1\nexcept E:\n  b, (c, *d) = x\nelse:\n  import e.f\nfinally:\n  def g(): h = 1"
    assert bound_names(ast.parse(text).body) == ["a", "e", "g", "b", "c", "d"]


def test_a_main_guard_is_known_in_any_form() -> None:
    for test in ("__name__ == '__main__'", "'__main__' == __name__", "__name__ == '__main__' and x"):
        assert is_main_guard(ast.parse(test, mode="eval").body)
    assert not is_main_guard(ast.parse("x == '__main__'", mode="eval").body)


def test_training_at_the_top_level_is_never_run() -> None:
    namespace, notes, _ = load("ran = []\nfor i in range(3):\n    ran.append(i)\nran.append(9)\ndef f(): return ran")
    assert namespace["f"]() == []
    assert notes.dropped == {"cell 1": 2}


def test_a_lazy_name_is_evaluated_when_a_function_needs_it_and_only_then() -> None:
    cells = (
        "calls = []\ndef make():\n    calls.append(1)\n    return 7",
        "size = make()\ndef f(): return size + len('a')",
    )
    namespace, _, _ = load(*cells)
    assert namespace["calls"] == []
    assert namespace["f"]() == 8
    assert namespace["f"]() == 8
    assert namespace["calls"] == [1]


def test_lazy_names_may_need_each_other_and_class_bodies_may_need_them() -> None:
    namespace, notes, _ = load(
        "def two(): return 2\na = two()\nb = a * two()\nclass C:\n    size = b\ndef f(x=a): return x"
    )
    assert namespace["C"].size == 4
    assert namespace["f"]() == 2
    assert not notes.failed


def test_the_last_assignment_counts_and_a_failing_one_falls_back() -> None:
    namespace, _, _ = load("def g(x): return x\nx = 1\nx = g(x) + 1\nx = g(x) * 10\ndef f(): return x")
    assert namespace["f"]() == 20
    namespace, _, _ = load("lr = 0.1\nlr = scheduler.get()\ndef f(): return lr")
    assert namespace["f"]() == 0.1


def test_unpacking_binds_only_what_no_later_statement_rebinds() -> None:
    namespace, _, _ = load("def two(): return 1, 2\na, b = two()\nb = max(two())\ndef f(): return a, b")
    assert namespace["f"]() == (1, 2)


def test_a_name_in_terms_of_itself_alone_is_a_name_error() -> None:
    namespace, _, _ = load("def g(x): return x\nx = g(x)\ndef f(): return x")
    with pytest.raises(NameError):
        namespace["f"]()


def test_unknown_names_stay_name_errors_and_key_errors_stay_errors() -> None:
    namespace, _, _ = load("def look(): return {}['k']\nx = look()\ndef f(): return x\ndef g(): return nothing")
    with pytest.raises(NameError, match="nothing"):
        namespace["g"]()
    with pytest.raises(HarnessError, match="KeyError"):
        namespace["f"]()


def test_values_of_top_level_training_are_refused_with_advice() -> None:
    training = "def train(m):\n    m.loss.backward()\n    return [1]\ndef fit(m): return train(m)"
    namespace, _, _ = load(training, "history = fit(0)\ndef plot(): return history")
    with pytest.raises(HarnessError, match="as an argument"):
        namespace["plot"]()


def test_a_missing_package_is_a_remark_and_an_error_only_when_used() -> None:
    namespace, notes, _ = load(
        "import no_such_package.sub as ns, os\nfrom no_such_package import thing\nfrom os import no_such_name",
        "def f(): return ns.x\ndef g(): return thing()\nclass Broken(thing): pass\nclass Fine: pass",
    )
    assert isinstance(namespace["ns"], Placeholder)
    assert namespace["os"] is sys.modules["os"]
    assert [r["code"] for r in notes.remarks] == [
        *("missing_package", "missing_package", "import_failed", "missing_package", "definition_failed"),
    ]
    assert notes.remarks[0]["where"] == "cell 1, line 1"
    for name in "fg":
        with pytest.raises(ModuleNotFoundError, match="no_such_package` is not installed"):
            namespace[name]()
    assert "Fine" in namespace
    assert "Broken" in notes.failed


def test_optional_imports_work_as_written() -> None:
    namespace, notes, _ = load(
        "try:\n    import no_such_package\n    HAVE = True\nexcept ImportError:\n    HAVE = False"
    )
    assert namespace["HAVE"] is False
    assert notes.remarks == []


def test_a_definition_that_raises_is_a_remark_with_its_line() -> None:
    namespace, notes, _ = load(
        "x = 1\n\nclass A(Unknown):\n    pass\nclass B: pass", "import sys\nclass C:\n    sys.exit(3)"
    )
    assert "B" in namespace
    assert [(r["code"], r["where"]) for r in notes.remarks if r["code"] != "not_run"] == [
        ("definition_failed", "cell 1, line 3"),
        ("definition_failed", "cell 2, line 3"),
    ]
    assert "Unknown" in notes.failed["A"]


def test_future_annotations_are_honoured_and_ours_are_not_inherited() -> None:
    namespace, _, _ = load("def f(x: undefined_name): pass")
    assert "f" not in namespace
    namespace, _, _ = load("from __future__ import annotations\ndef f(x: undefined_name): pass")
    assert namespace["f"].__annotations__ == {"x": "undefined_name"}


def test_helper_modules_are_loaded_definitions_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path, "hx_model.py", b"SIZE = 3\nclass CNN: size = SIZE\nraise SystemExit('trained')\n")
    write_file(tmp_path, "hx_pkg/layers.py", b"from .sizes import N\nLAYERS = N + 1\n")
    write_file(tmp_path, "hx_pkg/sizes.py", b"N = 1\nprint(1/0)\n")
    notes = Notes()
    monkeypatch.setattr(sys, "meta_path", [HelperFinder(tmp_path, [tmp_path], notes), *sys.meta_path])
    namespace: dict[str, Any] = {"__name__": "__main__"}
    tree = parse_file("main.py", "from hx_model import CNN\nfrom hx_pkg.layers import LAYERS\n", notes)
    DefinitionLoader(namespace, notes).load("main.py", tree)
    for name in [n for n in sys.modules if n.startswith("hx_")]:
        monkeypatch.delitem(sys.modules, name)
    assert namespace["CNN"].size == 3
    assert namespace["LAYERS"] == 2
    assert notes.remarks == []


@pytest.mark.parametrize("name", ["../x.py", "/etc/x.py", "a/../../x", "..\\x", "", "a\x00b"])
def test_files_outside_the_submission_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match="plain relative name"):
        write_file(tmp_path / "in", name, b"x")
    assert list(tmp_path.iterdir()) == []


def test_writefile_cells_write_below_the_folder_and_nowhere_else(tmp_path: Path) -> None:
    notes = Notes()
    for text in ("%%writefile sub/a.py\nx = 1", "%%writefile -a sub/a.py\ny = 2", "%%writefile ../b.py\nx = 1"):
        assert prepare(Cell("cell 1", text), notes, tmp_path) is None
    assert (tmp_path / "sub/a.py").read_text() == "x = 1\ny = 2\n"
    assert [r["code"] for r in notes.remarks] == ["file_not_written"]
