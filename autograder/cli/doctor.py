"""What this machine offers the sandbox, and what to do about what is missing. Reads and tries, changes nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from autograder.config import Settings, settings
from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox import cgroups, open_sandbox
from autograder.sandbox.base import Limits


class State(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # works, but could be better
    MISSING = "missing"  # grading can't work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. advice: what to do, empty if nothing."""

    state: State
    subject: str
    found: str
    advice: str = ""


def doctor(configured: Settings | None = None) -> list[Finding]:
    """Look at this machine. The last finding is a real sandbox, opened and closed."""
    config = configured or settings()
    looks: tuple[Callable[[], Finding], ...] = (
        _machine,
        _bubblewrap,
        _user,
        _user_namespaces,
        _seccomp,
        _landlock,
        _proc,
        lambda: _memory_control(config),
        lambda: _runtime(config.runtime_python),
    )
    findings = [look() for look in looks]
    return [*findings, _trial(config)]


def doctor_command() -> None:
    """Say what this machine offers the sandbox, and what to do. Exit code 1 if grading can't work here."""
    findings = doctor()
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.state.value:>7}  {finding.subject:<{width}}  {finding.found}")
        if finding.advice:
            print(f"{'':>7}  {'':<{width}}  → {finding.advice}")
    if any(finding.state is State.MISSING for finding in findings):
        raise typer.Exit(1)


def _machine() -> Finding:
    name = f"Linux {platform.release()} on {platform.machine()}"
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        advice = "Run the grading workers on an x86-64 Linux machine; the web process runs anywhere."
        return Finding(State.MISSING, "machine", f"{platform.system()} on {platform.machine()}", advice)
    return Finding(State.OK, "machine", name)


def _bubblewrap() -> Finding:
    path = shutil.which("bwrap")
    if path is None:
        advice = "Install it: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora)."
        return Finding(State.MISSING, "bubblewrap", "not installed", advice)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if Path(path).stat().st_mode & 0o4000:
        advice = "Take the set-uid bit off (chmod u-s) and allow user namespaces; the sandbox needs an ordinary one."
        return Finding(State.NOTE, "bubblewrap", f"{said}, set-uid", advice)
    return Finding(State.OK, "bubblewrap", said)


def _user() -> Finding:
    if os.geteuid() != 0:
        return Finding(State.OK, "user", f"an ordinary user ({os.geteuid()})")
    if shutil.which("setpriv") is None:
        return Finding(State.MISSING, "user", "root, without setpriv", "Install util-linux, or run workers as a user.")
    advice = "It works, each session becomes a user of its own; but workers are safer run as an ordinary user."
    return Finding(State.NOTE, "user", "root", advice)


def _user_namespaces() -> Finding:
    limit = _read("/proc/sys/user/max_user_namespaces")
    if limit == "0":
        advice = "Allow them: sysctl user.max_user_namespaces=15000."
        return Finding(State.MISSING, "user namespaces", "forbidden by user.max_user_namespaces", advice)
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        advice = "Allow them: sysctl kernel.unprivileged_userns_clone=1."
        return Finding(State.MISSING, "user namespaces", "forbidden for ordinary users", advice)
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        advice = "Give /usr/bin/bwrap an AppArmor profile with `userns,` (docs/security.md has one)."
        return Finding(State.NOTE, "user namespaces", "AppArmor lets only listed programs make them", advice)
    return Finding(State.OK, "user namespaces", f"allowed (at most {limit or 'many'})")


def _seccomp() -> Finding:
    status = _read("/proc/self/status")
    if "Seccomp:" not in status:
        return Finding(
            State.MISSING, "system call filter", "the kernel has none", "Use a kernel with CONFIG_SECCOMP_FILTER."
        )
    inside = re.search(r"^Seccomp:\t([12])$", status, re.MULTILINE)
    note = "; this process already runs under one (a container)" if inside else ""
    return Finding(State.OK, "system call filter", f"available{note}")


def _landlock() -> Finding:
    modules = _read("/sys/kernel/security/lsm")
    if "landlock" in modules.split(",") or not modules:
        return Finding(State.OK, "Landlock", "available" if modules else "can't be told from here; used if it is there")
    advice = "Nothing rests on it alone. To have the second fence, boot with lsm=landlock,…"
    return Finding(State.NOTE, "Landlock", "not active", advice)


def _proc() -> Finding:
    masked = [
        line.split()[1] for line in _read("/proc/self/mounts").splitlines() if line.split()[1].startswith("/proc/")
    ]
    hidden = [path for path in masked if path in ("/proc/kcore", "/proc/keys", "/proc/acpi", "/proc/sys")]
    if hidden:
        advice = "A container engine covers parts of /proc: start workers with security option systempaths=unconfined."
        return Finding(State.NOTE, "/proc", f"covered in part ({', '.join(hidden)})", advice)
    return Finding(State.OK, "/proc", "complete")


def _memory_control(config: Settings) -> Finding:
    try:
        groups, said = cgroups.find(config.cgroup)
    except SandboxUnavailable as error:
        return Finding(State.MISSING, "control groups", str(error), "Or let the grader look: AUTOGRADER_CGROUP=auto.")
    if groups is not None:
        return Finding(State.OK, "control groups", f"each session gets its own ({said})")
    advice = (
        "The watchdog and rlimits hold sessions. To have the kernel hold them exactly, delegate a cgroup "
        "to the workers (systemd: Delegate=yes); else start them under a memory limit of the service or container."
    )
    return Finding(State.NOTE, "control groups", f"none for sessions: {said}", advice)


def _runtime(python: Path) -> Finding:
    if not python.exists():
        advice = "Run bin/setup, or set AUTOGRADER_RUNTIME_PYTHON to the Python of another environment."
        return Finding(State.MISSING, "runtime", f"{python} does not exist", advice)
    return Finding(State.OK, "runtime", str(python))


def _trial(config: Settings) -> Finding:
    """Open a session for real, with the harness."""
    try:
        sandbox = open_sandbox(config)
        try:
            usage = sandbox.open(Limits()).close()
        finally:
            sandbox.close()
    except SandboxError as error:
        return Finding(State.MISSING, "trial", str(error), "Put right what is missing above, then run this again.")
    versions = ", ".join(f"{name} {version}" for name, version in sandbox.runtime().items() if name != "digest")
    return Finding(State.OK, "trial", f"{sandbox.name}: a session took {usage.wall_s:.1f} s ({versions})")


def _read(path: str) -> str:
    """A file's text, empty if it can't be read."""
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""
