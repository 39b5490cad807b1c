"""Torch work of data builders: done in the runtime's Python, kept, made again where it is damaged or out of date."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from autograder.config import ROOT, settings
from autograder.errors import SpecError
from autograder.specs.trusted import run_trusted

COUNTING = """
import time
from pathlib import Path
import numpy as np

def run(arguments, arrays):
    with open(arguments["log"], "a") as file:
        file.write("ran\\n")
    time.sleep(arguments.get("pause", 0))
    return {"arrays": {"double": 2 * arrays["x"]}, "files": {"a/b.txt": b"bytes"}, "facts": {"n": len(arrays["x"])}}
"""
TRAINING = """
import torch

def run(arguments, arrays):
    model = torch.nn.Linear(4, 2)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.from_numpy(arrays["x"])
    for _ in range(5):
        optimiser.zero_grad()
        (model(x) ** 2).mean().backward()
        optimiser.step()
    return {"arrays": {"weight": model.weight, "noise": torch.randn(3)},
            "facts": {"threads": torch.get_num_threads(), "gpu": torch.cuda.is_available()}}
"""


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings whose var folder is the test's own."""
    monkeypatch.setenv("AUTOGRADER_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var"
    monkeypatch.undo()
    settings.cache_clear()


def write(folder: Path, text: str) -> Path:
    path = folder / "work.py"
    path.write_text(textwrap.dedent(text))
    return path


def runs(log: Path) -> int:
    return log.read_text().count("ran") if log.exists() else 0


def test_the_result_is_kept_until_something_changes(tmp_path: Path) -> None:
    script, log, x = write(tmp_path, COUNTING), tmp_path / "log", np.arange(3.0)
    for _ in range(2):
        result = run_trusted(script, {"log": str(log)}, {"x": x})
        assert result.arrays["double"].tolist() == [0, 2, 4]
        assert result.files == {"a/b.txt": b"bytes"}
        assert result.facts == {"n": 3}
    assert runs(log) == 1
    run_trusted(script, {"log": str(log), "other": 1}, {"x": x})
    run_trusted(script, {"log": str(log)}, {"x": x.astype(np.float32)})
    run_trusted(script, {"log": str(log)}, {"x": x}, {"more": b""})
    script.write_text(script.read_text() + "# changed\n")
    run_trusted(script, {"log": str(log)}, {"x": x})
    assert runs(log) == 5


@pytest.mark.parametrize("harm", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:200] + b"\0" * 40 + b[240:]])
def test_a_damaged_result_is_made_again(tmp_path: Path, var_dir: Path, harm: object) -> None:
    script, log = write(tmp_path, COUNTING), tmp_path / "log"
    ask = {"log": str(log)}, {"x": np.arange(3.0)}
    run_trusted(script, *ask)
    (kept,) = (var_dir / "trusted").glob("*.npz")
    kept.write_bytes(harm(kept.read_bytes()))  # type: ignore[operator]
    assert run_trusted(script, *ask).arrays["double"].tolist() == [0, 2, 4]
    assert runs(log) == 2
    assert run_trusted(script, *ask).files == {"a/b.txt": b"bytes"}
    assert runs(log) == 2


def test_many_that_ask_at_once_wait_for_the_first(tmp_path: Path) -> None:
    script, log = write(tmp_path, COUNTING), tmp_path / "log"

    def ask(_number: int) -> list[float]:
        given = {"log": str(log), "pause": 0.5}
        answer: list[float] = run_trusted(script, given, {"x": np.arange(3.0)}).arrays["double"].tolist()
        return answer

    other = (
        "import sys, numpy as np; from pathlib import Path; from autograder.specs.trusted import run_trusted; "
        "print(run_trusted(Path(sys.argv[1]), {'log': sys.argv[2], 'pause': 0.5}, {'x': np.arange(3.0)}).facts)"
    )
    command = [sys.executable, "-c", other, str(script), str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [[0, 2, 4]] * 4
        assert process.stdout is not None
        assert b"'n': 3" in process.stdout.read()
    assert runs(log) == 1


def test_training_is_the_same_each_time_and_on_one_thread(tmp_path: Path, var_dir: Path) -> None:
    script, x = write(tmp_path, TRAINING), np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4)
    first = run_trusted(script, {}, {"x": x})
    for kept in (var_dir / "trusted").glob("*.npz"):
        kept.unlink()
    second = run_trusted(script, {}, {"x": x})
    assert first.facts == {"threads": 1, "gpu": False}
    for name in ("weight", "noise"):
        np.testing.assert_array_equal(first.arrays[name], second.arrays[name])
    assert not np.array_equal(first.arrays["noise"], run_trusted(script, {"seed": 1}, {"x": x}).arrays["noise"])


def test_files_lie_in_the_current_folder_and_can_be_imported(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        """
        import helper

        def run(arguments, arrays):
            return {"facts": {"read": open("deep/words.txt").read(), "helper": helper.VALUE}}
        """,
    )
    result = run_trusted(script, {}, {}, {"deep/words.txt": b"one two", "helper.py": b"VALUE = 7"})
    assert result.facts == {"read": "one two", "helper": 7}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def run(arguments, arrays):\n    return 1 / 0\n", "work.py.*line 2.*ZeroDivisionError"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
        ("x = 1\n", "no function run"),
        ("def run(arguments, arrays):\n    return 3\n", "must return a dict"),
        ("def run(arguments, arrays):\n    return {'files': {'a': 'text'}}\n", "return bytes"),
        ("def run(arguments, arrays):\n    return {'arrays': {'a': object()}}\n", "return numbers or text"),
        ("def run(arguments, arrays):\n    return {'facts': {'a': float('nan')}}\n", "JSON"),
        ("import os\n\ndef run(arguments, arrays):\n    os._exit(0)\n", "left no result"),
        ("import time\n\ndef run(arguments, arrays):\n    time.sleep(60)\n", "not done after 1.5 s"),
    ],
)
def test_a_script_that_fails_is_a_spec_error_that_says_why(tmp_path: Path, var_dir: Path, text: str, says: str) -> None:
    script = write(tmp_path, text)
    with pytest.raises(SpecError, match=f"(?s){says}") as failed:
        run_trusted(script, wall_s=1.5 if "sleep" in text else 60)
    assert str(script) in failed.value.message
    assert failed.value.hint
    assert not [path for path in (var_dir / "trusted").iterdir() if path.suffix != ".lock"]


def test_what_can_not_be_asked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = write(tmp_path, COUNTING)
    with pytest.raises(SpecError, match="can't be written as JSON"):
        run_trusted(script, {"x": np.arange(3)})
    with pytest.raises(SpecError, match="leads out"):
        run_trusted(script, {}, {}, {"../x": b""})
    with pytest.raises(SpecError, match="can't be read"):
        run_trusted(tmp_path / "nothing.py")
    monkeypatch.setenv("AUTOGRADER_RUNTIME_PYTHON", "/nowhere/bin/python")
    settings.cache_clear()
    with pytest.raises(SpecError, match="can't be started") as failed:
        run_trusted(script)
    assert "bin/setup" in failed.value.hint


def test_the_process_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        """
        import os, time

        def run(arguments, arrays):
            open(arguments["log"], "w").write(str(os.getpid()))
            time.sleep(60)
        """,
    )
    log = tmp_path / "log"
    asks = "import sys; from pathlib import Path; from autograder.specs.trusted import run_trusted; "
    asks += "run_trusted(Path(sys.argv[1]), {'log': sys.argv[2]})"
    with subprocess.Popen([sys.executable, "-c", asks, str(script), str(log)], cwd=ROOT) as process:
        while not (log.exists() and log.read_text()):
            assert process.poll() is None
        process.kill()
    number = int(log.read_text())
    for _ in range(200):
        try:
            ended = Path(f"/proc/{number}/stat").read_text().split(") ")[1][0] == "Z"
        except OSError:
            ended = True
        if ended:
            return
        time.sleep(0.02)
    raise AssertionError("the script's process outlived the one that asked")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no such choice")
def test_networks_are_trained_with_the_instructions_that_every_processor_has(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        """
        import torch

        def run(arguments, arrays):
            return {"facts": {"level": torch.backends.cpu.get_cpu_capability()}}
        """,
    )
    assert run_trusted(script).facts == {"level": "DEFAULT"}
    command = [str(settings().runtime_python), "-c", "import torch; print(torch.backends.cpu.get_cpu_capability())"]
    here = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert run_trusted(script, same_bits=False).facts == {"level": here}
