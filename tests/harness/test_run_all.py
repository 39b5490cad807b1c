"""Run-all mode: a notebook executed from top to bottom, as far as it goes."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.harness.client import Harness, WarmServer, notebook


def codes(loaded: dict) -> list[tuple[str, str]]:
    return [(r["code"], r["where"]) for r in loaded["remarks"]]


def value(harness: Harness, name: str) -> object:
    assert harness.function(name, kind="value")["found"]
    return harness.result("call", entry="f", arguments=[], keywords={})["value"]


def test_cells_run_in_order_and_what_they_print_is_kept(harness: Harness) -> None:
    loaded = harness.load(
        ["x = 1\nprint('first')", "for i in range(3):\n    x += i\nx", "%%time\ny = x * 2\nprint('y is', y)"], "run_all"
    )
    assert loaded["remarks"] == []
    assert loaded["names"] == {"x": "value", "i": "value", "y": "value"}
    assert value(harness, "y") == 8
    assert "first" in harness.output()
    assert "y is 8" in harness.output()


def test_a_failing_cell_is_a_remark_and_later_cells_still_run(harness: Harness) -> None:
    loaded = harness.load(["a = 1", "b = a\nc = 1 / 0\nd = 2", "e = a + b"], "run_all")
    assert codes(loaded) == [("cell_failed", "cell 2, line 2")]
    assert "ZeroDivisionError" in loaded["remarks"][0]["message"]
    assert set(loaded["names"]) == {"a", "b", "e"}


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("name = input('who?')", "input"),
        ("import urllib.request\nurllib.request.urlopen('http://example.org')", "network"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "network"),
        ("from torchvision import datasets\ndatasets.MNIST('.', download=True)", "network"),
        ("import nothing_like_this as nlt\nnlt.go()", "missing_package"),
        ("raise MemoryError('big')", "memory"),
        ("raise KeyboardInterrupt", "cell_failed"),
        ("def f(): return f()\nf()", "cell_failed"),
        ("print(", "unparsable_cell"),
        ("return 3", "cell_failed"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E()", "cell_failed"),
    ],
)
def test_whatever_a_cell_does_the_next_one_runs(harness: Harness, cell: str, code: str) -> None:
    loaded = harness.load([cell, "after = 1"], "run_all")
    assert codes(loaded)[-1][0] == code
    assert codes(loaded)[-1][1].startswith("cell 1")
    assert loaded["names"]["after"] == "value"


NETWORK = [
    "import urllib.request\nurllib.request.urlretrieve('https://example.org/x.zip', 'x.zip')",
    "import torch\ntorch.hub.load('someone/something', 'resnet18')",
    "import torch\ntorch.hub.load_state_dict_from_url('https://example.org/weights.pth')",
    "from transformers import AutoModel\nAutoModel.from_pretrained('distilbert-base-uncased')",
    "from transformers import BertTokenizer\nBertTokenizer.from_pretrained('bert-base-uncased')",
    "from huggingface_hub import hf_hub_download\nhf_hub_download('someone/something', 'config.json')",
    "from sklearn.datasets import fetch_openml\nfetch_openml('mnist_784')",
    "import pandas as pd\npd.read_csv('https://example.org/words.csv')",
    "import torchvision\ntorchvision.datasets.CIFAR10('.', download=True)",
    "import socket\nsocket.socket().connect_ex(('203.0.113.1', 80))",
    "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.1', 53))",
    "import asyncio\nawait asyncio.open_connection('example.org', 80)",
]


@pytest.mark.parametrize("cell", NETWORK)
def test_the_network_is_refused_at_once_in_plain_words(harness: Harness, cell: str) -> None:
    imports, _, use = cell.partition("\n")
    timed = f"import time\nstart = time.time()\ntry:\n    {use}\nfinally:\n    took = time.time() - start"
    loaded = harness.load([imports, timed], "run_all")
    assert codes(loaded) == [("network", "cell 2, line 4")]
    message = loaded["remarks"][0]["message"]
    assert "network" in message
    assert "can't be" in message
    took = value(harness, "took")
    assert isinstance(took, float)
    assert took < 2


@pytest.mark.parametrize("package", ["requests", "gdown", "nltk"])
def test_packages_that_are_there_to_download_say_why_they_are_not(harness: Harness, package: str) -> None:
    loaded = harness.load([f"import {package}\n{package}.get('x')"], "run_all")
    assert {code for code, _ in codes(loaded)} == {"missing_package"}
    assert "network" in loaded["remarks"][0]["message"]


def test_a_url_of_a_file_is_no_network(harness: Harness) -> None:
    cell = "import urllib.request, pathlib\npathlib.Path('a').write_text('here')\n"
    cell += "text = urllib.request.urlopen(pathlib.Path('a').resolve().as_uri()).read().decode()"
    assert harness.load([cell], "run_all")["remarks"] == []
    assert value(harness, "text") == "here"


def test_a_seed_makes_a_notebook_repeat_itself(warm_server: WarmServer) -> None:
    cell = "import random, numpy, torch\ndrawn = [random.random(), numpy.random.rand(), torch.rand(1).item()]"
    drawn = []
    for seed in (5, 5, 6):
        with closing(Harness(warm_server)) as harness:
            files = [{"name": "nb.ipynb", "data": notebook([cell])}]
            harness.result("load", files=files, main="nb.ipynb", mode="run_all", seed=seed)
            drawn.append(value(harness, "drawn"))
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_sys_exit_ends_its_cell_only(harness: Harness) -> None:
    loaded = harness.load(["import sys\nsys.exit(1)\nx = 1", "y = 1"], "run_all")
    assert codes(loaded) == [("cell_failed", "cell 1, line 2")]
    assert loaded["names"] == {"y": "value"}


def test_an_import_that_fails_does_not_cost_the_imports_after_it(harness: Harness) -> None:
    loaded = harness.load(
        ["import nothing_like_this as n, math\nfrom nothing import a, b\nx = math.sqrt(4)"], "run_all"
    )
    assert {code for code, _ in codes(loaded)} == {"missing_package"}
    assert loaded["names"] == {"x": "value"}


def test_shell_and_magics_are_skipped_and_colab_is_played(harness: Harness) -> None:
    cells = [
        "!pip install x\n!echo no > made\n%matplotlib inline\n%load_ext tensorboard\nfiles = !ls\nx = len(files)",
        "from google.colab import drive, files\ndrive.mount('/content/drive')",
        "%%bash\necho no > made",
        "files.upload()",
        "get_ipython().system('echo no > made')\nget_ipython().getoutput('echo no > made')\ny = 1",
    ]
    loaded = harness.load(cells, "run_all")
    assert {c for c, _ in codes(loaded)} == {"skipped_install", "skipped_shell", "colab", "skipped_magic", "input"}
    assert loaded["names"] == {"x": "value", "y": "value"}
    assert not (harness.folder / "made").exists()


def test_figures_are_kept_at_show_and_at_the_end_of_a_cell(harness: Harness) -> None:
    cells = [
        "import matplotlib.pyplot as plt\nfor i in range(2):\n    plt.plot([i]); plt.show()",
        "plt.figure(figsize=(500, 500)); plt.plot([1])",
        "%pylab inline\nplot([1])",
    ]
    loaded = harness.load(cells, "run_all")
    assert loaded["remarks"] == []
    assert len(loaded["figures"]) == 4
    for figure in loaded["figures"]:
        assert figure.tobytes().startswith(b"\x89PNG")
        assert figure.size < 400_000


def test_only_the_first_eight_figures_are_kept(harness: Harness) -> None:
    loaded = harness.load(["import matplotlib.pyplot as plt\nfor i in range(12): plt.plot([i]); plt.show()"], "run_all")
    assert len(loaded["figures"]) == 8
    assert codes(loaded) == [("figures_left_out", "")]


def test_display_tqdm_and_await_work_quietly(harness: Harness) -> None:
    cells = [
        "from tqdm.notebook import tqdm, trange\nfrom tqdm.auto import tqdm as auto\n"
        "n = sum(1 for _ in tqdm(range(5))) + sum(1 for _ in auto([1]))",
        "from IPython.display import display, HTML\ndisplay({'a': 1})\ndisplay(HTML('<b>x</b>'))",
        "import asyncio\nawait asyncio.sleep(0)\nm = 1",
    ]
    loaded = harness.load(cells, "run_all")
    assert loaded["remarks"] == []
    assert value(harness, "n") == 6
    assert "it/s" not in harness.output()


def test_a_script_runs_as_main(harness: Harness) -> None:
    text = "import missing_thing\nfrom helper import H\nif __name__ == '__main__':\n    ran = H\nboom()\n"
    loaded = harness.load(text, "run_all", {"helper.py": b"H = [1, 2]\n"})
    assert codes(loaded) == [("missing_package", "submission.py, line 1"), ("cell_failed", "submission.py, line 5")]
    assert value(harness, "ran") == [1, 2]


def test_a_model_trained_in_the_notebook_can_be_built_anew(harness: Harness) -> None:
    cells = [
        "import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
        "        self.fc = nn.Linear(4, n)\n    def forward(self, x): return self.fc(x)",
        "n = 3\nmodel = Net(n)",
    ]
    harness.load(cells, "run_all")
    handle = harness.model("model", "CNN")
    shapes = [p["shape"] for p in harness.result("parameters", handle=handle)["parameters"]]
    assert shapes == [[3, 4], [3]]


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("%%time\nx = 1\n1 / 0", 3),
        ("\n%%capture out\nx = 1\n1 / 0", 4),
        ("x = 1\n%time y = 1 / 0", 2),
        ("def f():\n    return 1 / 0\n%timeit f()", 2),
        ("for i in range(3):\n    %time y = 1 / i", 2),
        ("x = 1\n!ls\n1 / 0", 3),
        ("\n\n1 / 0", 3),
        ("\n    x = 1\n    1 / 0", 3),
        ("%%time\n\n    x = 1\n    1 / 0", 4),
        ("await asyncio.sleep(0)\n1 / 0", 2),
    ],
)
def test_an_error_names_its_line_below_magics_too(harness: Harness, cell: str, line: int) -> None:
    loaded = harness.load(["import asyncio", cell], "run_all")
    assert [place for code, place in codes(loaded) if code == "cell_failed"] == [f"cell 2, line {line}"]
    failed = next(remark for remark in loaded["remarks"] if remark["code"] == "cell_failed")
    assert failed["message"].startswith("ZeroDivisionError")


@pytest.mark.parametrize("word", ["exit()", "quit()", "exit"])
def test_leaving_ends_a_cell_not_the_notebook(harness: Harness, word: str) -> None:
    loaded = harness.load([f"a = 1\n{word}\nb = 1", "c = 1"], "run_all")
    assert {"a", "c"} <= set(loaded["names"])


def test_notebooks_that_run_each_other_come_to_an_end(harness: Harness) -> None:
    inner = {"a.ipynb": notebook(["%run b.ipynb"]), "b.ipynb": notebook(["%run a.ipynb", "b = 1"])}
    loaded = harness.load(["%run a.ipynb", "after = 1"], "run_all", inner)
    assert "after" in loaded["names"]
    assert "run each other" in harness.output()


def test_help_is_printed_and_a_closing_semicolon_hides_the_value(harness: Harness) -> None:
    harness.load(
        ["def halve(x):\n    'Half of it.'\n    return x / 2", "halve?", "'hidden value';", "'seen value'"], "run_all"
    )
    assert "Half of it." in harness.output()
    assert "seen value" in harness.output()
    assert "hidden value" not in harness.output()
