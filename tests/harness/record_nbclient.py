"""Runs the whole notebooks of the fixtures under nbclient, each in a kernel of its own, and records their names.

Usage: PYTHONPATH=. .venv/bin/python -m tests.harness.record_nbclient [NAME …]

The kernel is the runtime's Python; ipykernel comes from this environment, so that student code never meets it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from autograder.config import settings
from tests.harness.fidelity import NAMES, RECORDING, build, digest, read_result

LAUNCH = "import sys; sys.path.append({!r}); from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
VERSIONS = """
import json, sys, torch, numpy, IPython
print(json.dumps([sys.version.split()[0], *(m.__version__.split("+")[0] for m in (torch, numpy, IPython))]))
"""


def kernel_manager(folder: Path) -> AsyncKernelManager:
    """Starts kernels of the runtime's Python."""
    spec = folder / "kernels" / "runtime"
    spec.mkdir(parents=True)
    launch = LAUNCH.format(sysconfig.get_paths()["purelib"])
    command = [str(settings().runtime_python), "-c", launch, "-f", "{connection_file}"]
    text = {"argv": command, "display_name": "runtime", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(text))
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    return AsyncKernelManager(kernel_name="runtime", kernel_spec_manager=specs)


def run(name: str) -> dict[str, Any]:
    """The names of a notebook after its last cell, cells that raise included."""
    with tempfile.TemporaryDirectory(prefix="nbclient-", ignore_cleanup_errors=True) as place:
        folder = Path(place).resolve()
        (folder / "work").mkdir()
        for variable in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
            os.environ[variable] = str(folder)
        os.environ["OMP_NUM_THREADS"] = "1"
        tree = nbformat.reads(build(name, folder).decode(), as_version=4)
        client = NotebookClient(
            tree,
            timeout=120,
            allow_errors=True,
            km=kernel_manager(folder),
            resources={"metadata": {"path": str(folder / "work")}},
        )
        client.execute()
        return read_result(folder)


def versions() -> list[str]:
    """Python, torch, numpy and IPython of the runtime."""
    command = [str(settings().runtime_python), "-c", VERSIONS]
    found: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Record the named notebooks, or all."""
    wanted = sys.argv[1:] or NAMES
    recorded = json.loads(RECORDING.read_text())["notebooks"] if RECORDING.exists() else {}
    recorded = {name: recorded[name] for name in recorded if name in NAMES}
    for name in wanted:
        print(name, flush=True)
        recorded[name] = {"source": digest(name), **run(name)}
    write(recorded)


def write(recorded: dict[str, Any]) -> None:
    """Write the recording, a notebook to a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(recorded[name], ensure_ascii=False)}" for name in sorted(recorded)]
    body = ",\n".join(lines)
    RECORDING.write_text(f'{{"versions": {json.dumps(versions())},\n"notebooks": {{\n{body}\n}}}}\n')


if __name__ == "__main__":
    main()
