"""Runs the whole notebooks of the fixtures under nbclient, each in a kernel of its own, and records their names.

Usage: PYTHONPATH=. .venv/bin/python -m tests.harness.record_nbclient [--to FILE] [NAME …]

The kernel is the runtime's Python; ipykernel comes from this environment, so that student code never meets it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
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
        asyncio.run(execute(tree, kernel_manager(folder), folder / "work"))
        return read_result(folder)


async def execute(tree: Any, manager: AsyncKernelManager, place: Path) -> None:
    """Run all cells in a new kernel, then end it."""
    resources = {"metadata": {"path": str(place)}}
    client = NotebookClient(tree, km=manager, timeout=120, allow_errors=True, resources=resources)
    try:
        await client.async_execute(reset_kc=True)
    finally:
        await manager.shutdown_kernel(now=True)


def versions() -> list[str]:
    """Python, torch, numpy and IPython of the runtime."""
    command = [str(settings().runtime_python), "-c", VERSIONS]
    found: list[str] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Record the named notebooks, or all."""
    parser = argparse.ArgumentParser(description="Record what notebooks leave behind in a kernel.")
    parser.add_argument("--to", type=Path, default=RECORDING, help="the file to write")
    parser.add_argument("names", nargs="*", help="notebooks (all if none is named)")
    options = parser.parse_args()
    recorded = json.loads(options.to.read_text())["notebooks"] if options.to.exists() else {}
    recorded = {name: recorded[name] for name in recorded if name in NAMES}
    for name in options.names or NAMES:
        print(name, flush=True)
        recorded[name] = {"source": digest(name), **run(name)}
    write(recorded, options.to)


def write(recorded: dict[str, Any], target: Path) -> None:
    """Write the recording, a notebook to a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(recorded[name], ensure_ascii=False)}" for name in sorted(recorded)]
    body = ",\n".join(lines)
    target.write_text(f'{{"versions": {json.dumps(versions())},\n"notebooks": {{\n{body}\n}}}}\n')


if __name__ == "__main__":
    main()
