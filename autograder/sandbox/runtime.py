"""The Python that runs student code: where its files lie, where the sandbox shows them, which packages it holds.

Inside, the runtime always has the same paths, so a report names no folder of this machine and nothing depends on where
the project lies: the interpreter's own files under BASE, the packages of its virtual environment under VENV.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder import installed
from autograder.errors import SandboxUnavailable

BASE, VENV = "/opt/runtime/base", "/opt/runtime/venv"
_NAMED = ("torch", "numpy", "scikit-learn", "transformers")
_SYSTEM = Path("/usr")


@dataclass(frozen=True, slots=True)
class Runtime:
    """All paths are inside the sandbox, but for the values of `folders`.

    python: interpreter for student code. bare: the same without packages, quicker to start. folders: path inside →
    folder to show there. links: path inside → target. files: path inside → text. environment: what both need.
    """

    python: str
    bare: str
    folders: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def discover(python: Path) -> Runtime:
    """Find out about an interpreter without starting it. Raises SandboxUnavailable."""
    if not (python.is_file() and os.access(python, os.X_OK)):
        raise SandboxUnavailable(
            f"The Python for student code, {python}, is missing. Run bin/setup, or set AUTOGRADER_RUNTIME_PYTHON."
        )
    real = python.resolve()
    prefix = real.parent.parent
    venv = python.absolute().parent.parent
    config = _pyvenv(venv)
    folders, environment, bare = {}, {}, str(real)
    if not real.is_relative_to(_SYSTEM):
        bare = f"{BASE}/bin/{real.name}"
        folders = {f"{BASE}/{name}": prefix / name for name in ("bin", "lib")}
        if not any(prefix.glob("lib/python3*/os.py")):
            raise SandboxUnavailable(
                f"{real} has no standard library at {prefix}/lib. Make the virtual environment from a usual Python "
                "installation, and set AUTOGRADER_RUNTIME_PYTHON to its python."
            )
        if any(prefix.glob("lib/libpython3*.so*")):
            environment["LD_LIBRARY_PATH"] = f"{BASE}/lib"
    if not config:
        return Runtime(bare, bare, folders, environment=environment, versions=_versions(prefix, config))
    folders |= {f"{VENV}/{name}": (venv / name).resolve() for name in ("lib", "share") if (venv / name).is_dir()}
    return Runtime(
        python=f"{VENV}/bin/python",
        bare=bare,
        folders=folders,
        links={f"{VENV}/bin/{name}": bare for name in ("python", "python3")},
        files={f"{VENV}/pyvenv.cfg": f"home = {Path(bare).parent}\ninclude-system-site-packages = false\n"},
        environment=environment,
        versions=_versions(venv, config),
    )


def _pyvenv(venv: Path) -> dict[str, str]:
    """pyvenv.cfg as a dict; empty if the interpreter is in no virtual environment."""
    try:
        lines = (venv / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines)
    config = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return config if "home" in config else {}


def _versions(prefix: Path, config: Mapping[str, str]) -> dict[str, str]:
    """Python, the packages a receipt names, and a digest over all packages with their versions."""
    packages = installed.packages(prefix)
    versions = {"python": config.get("version") or config.get("version_info") or "unknown"}
    versions |= {name: packages[name] for name in _NAMED if name in packages}
    versions["digest"] = installed.digest(packages)
    return versions
