"""Run as a program by the runtime's Python: does the work of one trusted script. See trusted.py, which starts it.

Arguments: a folder with `request.json`, `inputs.npz`, `script.py` and the folder `files`, and the number of the process
that asked. Leaves `result.npz` there. Standard library and numpy only, apart from what the script imports.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import random
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_PR_SET_PDEATHSIG = 1
INDEX = "index"


def main() -> None:
    """Run the script's `run(arguments, arrays)` and write what it returns."""
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this process could ask to follow it
        return
    request = json.loads((folder / "request.json").read_text("utf-8"))
    with np.load(folder / "inputs.npz", allow_pickle=False) as stored:
        arrays = {name: stored[key] for name, key in request["arrays"].items()}
    os.chdir(folder / "files")
    sys.path.insert(0, str(folder / "files"))
    text = (folder / "script.py").read_text("utf-8")
    be_deterministic(request["seed"], torch_too="torch" in text or "transformers" in text)
    run = _script(text, request["script"])
    write_result(folder / "result.npz", run(request["arguments"], arrays))


def be_deterministic(seed: int, *, torch_too: bool) -> None:
    """The same numbers each time: seeds, one thread, deterministic algorithms. torch takes seconds to import."""
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    if torch_too and importlib.util.find_spec("torch"):
        torch: Any = importlib.import_module("torch")
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True, warn_only=True)


def _script(text: str, shown_as: str) -> Any:
    """The function `run` of the script; traces show the file under its own name."""
    namespace: dict[str, Any] = {"__name__": "trusted_script", "__file__": shown_as}
    exec(compile(text, shown_as, "exec"), namespace)  # noqa: S102 (the spec's own code)
    if not callable(namespace.get("run")):
        raise SystemExit(f"{shown_as} has no function run(arguments, arrays)")
    return namespace["run"]


def write_result(path: Path, result: Any) -> None:
    """Arrays, files and facts as one archive. Raises TypeError for what can't be kept."""
    if not isinstance(result, Mapping) or not set(result) <= {"arrays", "files", "facts"}:
        raise TypeError("run must return a dict with the keys arrays, files and facts (each may be left out)")
    stored: dict[str, Any] = {}
    index: dict[str, Any] = {"arrays": {}, "files": {}, "facts": result.get("facts") or {}}
    for name, value in (result.get("arrays") or {}).items():
        array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
        if array.dtype.kind not in "biufUS":
            raise TypeError(f"the array {name!r} has the dtype {array.dtype}; return numbers or text")
        index["arrays"][name] = f"a{len(stored)}"
        stored[index["arrays"][name]] = array
    for name, content in (result.get("files") or {}).items():
        if not isinstance(content, bytes):
            raise TypeError(f"the file {name!r} is {type(content).__name__}; return bytes")
        index["files"][name] = f"a{len(stored)}"
        stored[index["files"][name]] = np.frombuffer(content, dtype=np.uint8)
    stored[INDEX] = np.frombuffer(json.dumps(index, allow_nan=False).encode(), dtype=np.uint8)
    np.savez(path, **stored)


if __name__ == "__main__":
    main()
