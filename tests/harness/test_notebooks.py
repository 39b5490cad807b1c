"""Notebooks as students write them, loaded definitions only: is the model found, does it run, what is said?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.harness.client import Harness, split_cells

FOLDER = Path(__file__).parent.parent / "fixtures" / "notebooks"
IMAGES = np.random.default_rng(0).standard_normal((4, 3, 32, 32), dtype=np.float32)
ENTRY = {"kind": "model", "names": ["CNN", "ConvNet"], "factories": ["build_model"]}

# name → how the model is found, and the remarks besides `not_run`
GOOD = {
    "colab_training": (
        "name",
        {"colab", "skipped_install", "skipped_shell", "missing_package"},
    ),
    "constructor_call": ("constructor_call", set()),
    "redefined_class": ("name", {"redefined_class"}),
    "sequential_only": ("constructor_call", set()),
    "factory": ("factory", set()),
    "residual_blocks": ("constructor_call", set()),
    "lazy_layers": ("alias", set()),
    "missing_lightning": ("name", {"missing_package", "definition_failed"}),
    "broken_cells": ("name", {"unparsable_cell", "skipped_magic"}),
    "argparse_globals": ("only_model", set()),
    "autoencoder_parts": ("only_model", set()),
    "writefile": ("name", set()),
    "old_idioms": ("only_model", set()),
    "tuple_output": ("name", set()),
    "global_device": ("only_model", set()),
    "dataclass_config": ("name", set()),
    "methods_added_later": ("name", set()),
    "init_weights": ("name", set()),
    "quiz_with_input": ("name", set()),
}


def cells(name: str) -> list[str]:
    return split_cells((FOLDER / f"{name}.txt").read_text())


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_students_notebook_gives_a_model_that_runs(harness: Harness, name: str) -> None:
    how, codes = GOOD[name]
    loaded = harness.load(cells(name))
    assert {r["code"] for r in loaded["remarks"]} - {"not_run"} == codes, loaded["remarks"]
    assert harness.result("resolve", entries={"model": ENTRY})["model"]["how"] == how
    built = harness.result("construct", entry="model", seed=1, arguments={"num_classes": 10})
    harness.put(x=IMAGES)
    answer = harness.result("forward", handle=built["handle"], inputs="x", train=False, repeat=2, seed=1)
    first, second = answer["outputs"]
    assert first.shape == (4, 10)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)
    assert "Traceback" not in harness.output()


def test_every_notebook_of_the_folder_is_used() -> None:
    special = {"two_models", "data_dependent", "hub_model", "misspelt"}
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(GOOD) | special


def test_nothing_of_the_top_level_training_is_run(harness: Harness) -> None:
    loaded = harness.load(cells("colab_training"))
    assert loaded["names"]["CNN"] == "model"
    assert loaded["names"]["imshow"] == "function"
    assert loaded["names"]["BATCH_SIZE"] == "value"
    assert "np" not in loaded["names"]
    assert harness.output() == ""
    remark = next(r for r in loaded["remarks"] if r["code"] == "not_run")
    assert "cell 2" in remark["message"]
    assert "cell 7" in remark["message"]


def test_the_last_of_several_definitions_counts_and_is_said(harness: Harness) -> None:
    loaded = harness.load(cells("redefined_class"))
    remark = loaded["remarks"][0]
    assert remark["code"] == "redefined_class"
    assert "CNN is defined 3 times" in remark["message"]
    assert "cell 2, cell 3, cell 4" in remark["message"]
    handle = harness.model("CNN")
    types = {module["type"] for module in harness.result("parameters", handle=handle)["modules"]}
    assert "BatchNorm1d" in types


def test_two_possible_models_are_not_guessed_between(harness: Harness) -> None:
    harness.load(cells("two_models"))
    answer = harness.result("resolve", entries={"model": ENTRY})["model"]
    assert not answer["found"]
    assert answer["how"] is None
    assert set(answer["near"]) == {"First", "Second"}
    assert "Rename the right one to CNN" in answer["message"]
    assert harness.error("construct", entry="model", seed=0, arguments={})["kind"] == "missing"


def test_a_misspelt_name_is_suggested_with_its_cell(harness: Harness) -> None:
    harness.load(cells("misspelt"))
    answer = harness.result("resolve", entries={"model": ENTRY})["model"]
    assert answer["near"][0] == "Cnn2"
    assert answer["message"].startswith("No class named CNN (also accepted: ConvNet, build_model()).")
    assert "Cnn2 (cell 2)" in answer["message"]


def test_a_model_that_needs_downloaded_data_says_so(harness: Harness) -> None:
    harness.load(cells("data_dependent"))
    harness.result("resolve", entries={"model": ENTRY})
    error = harness.error("construct", entry="model", seed=0, arguments={})
    assert error["kind"] == "network"
    assert error["where"] == "cell 1, line 3"
    assert "torchvision.datasets.CIFAR10 can't be had here" in error["message"]


def test_functions_of_torchvision_work_or_refuse_by_name(harness: Harness) -> None:
    lines = (
        "import torch",
        "import torchvision.transforms.functional as TF",
        "from torchvision.transforms.v2 import functional as V2",
        "def f():",
        "    x = torch.rand(2, 3, 4, 6)",
        "    ok = [torch.equal(TF.normalize(x, [0.5] * 3, [0.25] * 3), (x - 0.5) / 0.25)]",
        "    ok += [torch.equal(V2.hflip(x), x.flip(-1)), V2.crop(x, 1, 2, 2, 3).shape == (2, 3, 2, 3)]",
        "    ok += [TF.center_crop(x[0], 2).shape == (3, 2, 2), TF.resize(x[0], [8, 8]).shape == (3, 8, 8)]",
        "    y = x.clone()",
        "    return ok + [TF.normalize(y, [0.5] * 3, [0.25] * 3, inplace=True) is y and not torch.equal(x, y)]",
        "def g():",
        "    return TF.adjust_brightness(torch.rand(3, 4, 4), 2.0)",
    )
    harness.load("\n".join(lines))
    harness.function("f")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == [True] * 6
    harness.function("g")
    error = harness.error("call", entry="f", arguments=[], keywords={})
    assert "stand-in has no transforms.functional.adjust_brightness" in error["message"]


def test_a_model_from_the_hub_is_a_network_error(harness: Harness) -> None:
    harness.load(cells("hub_model"))
    harness.result("resolve", entries={"model": ENTRY})
    error = harness.error("construct", entry="model", seed=0, arguments={})
    assert error["kind"] == "network", error
    assert error["where"] == "cell 2, line 5"


def test_input_at_the_top_level_harms_only_what_needs_it(harness: Harness) -> None:
    harness.load(cells("quiz_with_input"))
    harness.function("greet")
    error = harness.error("call", entry="f", arguments=[], keywords={})
    assert error["kind"] == "input"
    assert "nobody is there to answer" in error["message"]


def test_helper_modules_of_an_archive_are_imported_without_their_training(harness: Harness) -> None:
    files = {
        "hw/main.py": b"from layers import make\nfrom nets.small import CNN\nmodel = CNN()\n",
        "hw/layers.py": b"import torch.nn as nn\ndef make(): return nn.Linear(3072, 10)\nwhile True: pass\n",
        "hw/nets/__init__.py": b"",
        "hw/nets/small.py": b"import torch.nn as nn\nfrom layers import make\nclass CNN(nn.Module):\n"
        b"    def __init__(self):\n        super().__init__()\n        self.fc = make()\n"
        b"    def forward(self, x):\n        return self.fc(x.flatten(2))\n",
    }
    loaded = harness.load_files(files, "hw/main.py")
    assert loaded["names"] == {"CNN": "model", "make": "function", "model": "value"}
    handle = harness.model("CNN")
    harness.put(x=IMAGES)
    error = harness.error("forward", handle=handle, inputs="x", train=False, seed=0)
    assert error["where"] == "hw/nets/small.py, line 8"


def test_a_module_with_a_syntax_error_fails_to_load_with_its_line(harness: Harness) -> None:
    listed = [{"name": "submission.py", "data": b"x = 1\n\ndef f(:\n"}]
    error = harness.error("load", files=listed, main="submission.py", mode="definitions", seed=0)
    assert (error["kind"], error["type"]) == ("exception", "SyntaxError")
    assert error["where"] == "submission.py, line 3"


def test_a_script_exported_from_a_notebook_loads(harness: Harness) -> None:
    text = "# In[1]:\n!pip install x\nget_ipython().system('ls')\nget_ipython().run_line_magic('cd', 'x')\n"
    loaded = harness.load(text + "def f():\n    display('x')\n    get_ipython()\n    return 3\n")
    assert ("skipped_install", "submission.py, line 2") in {(r["code"], r["where"]) for r in loaded["remarks"]}
    harness.function("f")
    assert harness.result("call", entry="f", arguments=[], keywords={})["value"] == 3


@pytest.mark.parametrize(
    ("files", "main"),
    [({"../x.py": b""}, "../x.py"), ({"/x.py": b""}, "/x.py"), ({"a.py": b""}, "b.py")],
)
def test_files_that_lead_elsewhere_are_refused(harness: Harness, files: dict[str, bytes], main: str) -> None:
    listed = [{"name": n, "data": d} for n, d in files.items()]
    error = harness.error("load", files=listed, main=main, mode="definitions", seed=0)
    assert error["kind"] == "bad_request"
    assert list(harness.folder.parent.glob("x.py")) == []


def test_a_helper_in_a_folder_the_notebook_put_on_its_path_is_found_last(harness: Harness) -> None:
    files = {
        "main.py": b"import sys\nsys.path.append('src')\nfrom parts import N\nimport tarfile\nT = tarfile.__name__\n",
        "src/parts.py": b"N = 3\n",
        "src/tarfile.py": b"raise SystemExit\n",
    }
    loaded = harness.load_files(files, "main.py")
    assert [r["code"] for r in loaded["remarks"]] == ["not_run"]
    assert {"N", "T"} <= set(loaded["names"])


@pytest.mark.parametrize("terms", [500, 3000, 100_000])
def test_expressions_nested_beyond_reason_cost_their_cell_only(harness: Harness, terms: int) -> None:
    loaded = harness.load(["x = " + "+".join(["1"] * terms), "y = 1"])
    assert [(r["code"], r["where"][:6]) for r in loaded["remarks"]] == [("unparsable_cell", "cell 1")]
    assert loaded["names"] == {"y": "value"}
