"""What this machine offers the sandbox, and what to do about what is missing. Reads and tries, changes nothing."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import typer

from autograder.config import Settings, lanes, settings
from autograder.errors import SandboxError, SandboxUnavailable
from autograder.model import Lane
from autograder.sandbox import WEAK, cgroups, open_sandbox
from autograder.sandbox.base import Limits
from autograder.sandbox.card import Nvml
from autograder.sandbox.plain import GAPS

_NOBODY = 60_000  # whom a trial of user namespaces becomes as root, as sessions do
_TRY_NAMESPACE = f"""
import ctypes, os
if os.geteuid() == 0:
    os.setgroups([]); os.setresgid(*[{_NOBODY}] * 3); os.setresuid(*[{_NOBODY}] * 3)
libc = ctypes.CDLL(None, use_errno=True)
print(os.strerror(ctypes.get_errno()) if libc.unshare(0x10000000) else "made")
"""
_ENGINES = {"Docker": "/.dockerenv", "Podman": "/run/.containerenv"}  # files that engines leave
_LANDLOCK_CREATE = 444  # the same number on every architecture
# What Landlock can fence off, by the level that brought it.
_LANDLOCK = {1: "files", 4: "TCP", 6: "signals and abstract sockets"}
_FENCES = ("machine", "bubblewrap", "user", "user namespaces", "system call filter", "/proc")  # the weak one needs none


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
    """Look at this machine. The last finding is a real sandbox, opened and closed; before it, gaps of a weak one."""
    config = configured or settings()
    looks: tuple[Callable[[], Finding], ...] = (
        _machine,
        _container,
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
    findings += _lanes(config)
    if config.sandbox == WEAK:
        findings = [_without_fences(finding) for finding in findings] + list(_gaps())
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


def _container() -> Finding:
    signs = {name: Path(path).exists() for name, path in _ENGINES.items()}
    signs["Kubernetes"] = "KUBERNETES_SERVICE_HOST" in os.environ
    by_group = re.search(r"docker|kubepods|lxc|containerd", _read("/proc/1/cgroup"))
    signs["a container (by its control group)"] = by_group is not None
    by_files = re.search(r" / / .* - overlay ", _read("/proc/1/mountinfo"))
    signs["a container (by its root file system)"] = by_files is not None
    inside = next((name for name, seen in signs.items() if seen), "")
    if _read("/proc/self/uid_map").split()[2:] not in ([], ["4294967295"]):
        inside += f"{' and ' if inside else ''}a user namespace that somebody else made"
    if not inside:
        return Finding(State.OK, "nested in", "no container that could be seen")
    advice = "docs/security.md (Containers) has the three options that workers need there."
    return Finding(State.OK, "nested in", inside, advice)


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
    tried = _namespace_trial()
    if tried != "made":
        advice = (
            "Something refuses them. In a container that is the engine's filter: start workers with security options "
            "seccomp=docker/seccomp-worker.json and systempaths=unconfined (docs/security.md, Containers). Else "
            "AppArmor or SELinux. Without them only the weak sandbox can run (docs/security.md, Weak sandbox)."
        )
        return Finding(State.MISSING, "user namespaces", f"could not be made: {tried}", advice)
    return Finding(State.OK, "user namespaces", f"made one (at most {limit or 'many'} allowed)")


def _namespace_trial() -> str:
    """`made`, or why an ordinary user can make none here."""
    command = [sys.executable, "-I", "-S", "-c", _TRY_NAMESPACE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip()[-200:] or "the trial ended"


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
    level = _landlock_level()
    if level > 0:
        fenced = ", ".join(what for since, what in _LANDLOCK.items() if level >= since)
        missing = ", ".join(what for since, what in _LANDLOCK.items() if level < since)
        lacks = f"; not {missing}, which namespaces fence off anyway" if missing else ""
        return Finding(State.OK, "Landlock", f"level {level}: {fenced}{lacks}")
    advice = "Nothing rests on it alone. To have the second fence, use kernel 5.13 or newer, booted with lsm=landlock,…"
    return Finding(State.NOTE, "Landlock", "level 0: not built in, not active, or hidden by a filter", advice)


def _landlock_level() -> int:
    """The version of the kernel's interface, 0 if there is none."""
    if platform.system() != "Linux":
        return 0
    level: int = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(level, 0)


def _proc() -> Finding:
    masked = [
        line.split()[1] for line in _read("/proc/self/mounts").splitlines() if line.split()[1].startswith("/proc/")
    ]
    hidden = [path for path in masked if path in ("/proc/kcore", "/proc/keys", "/proc/acpi", "/proc/sys")]
    if hidden:
        advice = (
            "A container engine covers parts of /proc, and the kernel then refuses sandboxes a /proc of their own: "
            "start workers with security option systempaths=unconfined."
        )
        return Finding(State.MISSING, "/proc", f"covered in part ({', '.join(hidden)})", advice)
    return Finding(State.OK, "/proc", "complete")


def _memory_control(config: Settings) -> Finding:
    try:
        groups, said = cgroups.find(config.cgroup)
    except SandboxUnavailable as error:
        return Finding(State.MISSING, "control groups", str(error), "Or let the grader look: AUTOGRADER_CGROUP=auto.")
    if groups is not None:
        return Finding(State.OK, "control groups", f"delegated; each session gets its own ({said})")
    advice = (
        "The watchdog and rlimits hold sessions. To have the kernel hold them exactly, delegate a cgroup "
        "to the workers (systemd: Delegate=yes); else start them under a memory limit of the service or container."
    )
    return Finding(State.NOTE, "control groups", f"{_hierarchies()}; none for sessions: {said}", advice)


def _hierarchies() -> str:
    """Which versions of the kernel's hierarchy are mounted."""
    found = {2 if kind == "cgroup2" else 1 for kind in re.findall(r" - (cgroup2?) ", _read("/proc/self/mountinfo"))}
    return f"version {' and '.join(map(str, sorted(found)))}" if found else "no version mounted"


def _lanes(config: Settings) -> list[Finding]:
    """What the lanes need, and whether there are such lanes."""
    try:
        return [_card()] if Lane.GPU in lanes(config) else []
    except ValueError as error:
        return [Finding(State.MISSING, "lanes", str(error), "No worker starts before that is put right.")]


def _card() -> Finding:
    try:
        used = Nvml(0).read().used
    except SandboxError as error:
        advice = "Install the driver, or take gpu out of AUTOGRADER_LANES here."
        return Finding(State.MISSING, "graphics card", str(error), advice)
    return Finding(State.OK, "graphics card", f"the driver answers; {used >> 20} MB of the card are in use")


def _runtime(python: Path) -> Finding:
    if not python.exists():
        advice = "Run bin/setup, or set AUTOGRADER_RUNTIME_PYTHON to the Python of another environment."
        return Finding(State.MISSING, "runtime", f"{python} does not exist", advice)
    return Finding(State.OK, "runtime", str(python))


def _without_fences(finding: Finding) -> Finding:
    """What is missing for isolation alone stops no sandbox that has none."""
    lacking = finding.state is State.MISSING and finding.subject in _FENCES
    return replace(finding, state=State.NOTE) if lacking and platform.system() == "Linux" else finding


def _gaps() -> Iterator[Finding]:
    """The weak sandbox by name, and what it does not stop, one by one."""
    advice = "Use forkserver or bubblewrap as soon as what is missing above is put right."
    yield Finding(State.NOTE, "weak sandbox", f"AUTOGRADER_SANDBOX={WEAK}: every report says so. Its gaps:", advice)
    for name, words in GAPS.items():
        yield Finding(State.NOTE, f"gap: {name}", words)


def _trial(config: Settings) -> Finding:
    """Open a session for real, with the harness."""
    try:
        sandbox = open_sandbox(config)
        try:
            usage = sandbox.open(Limits()).close()
        finally:
            sandbox.close()
    except SandboxError as error:
        advice = (
            "Put right what is missing above, then run this again. If that can't be done here, docs/security.md "
            "(Weak sandbox) has a last resort."
        )
        return Finding(State.MISSING, "trial", str(error), advice)
    versions = ", ".join(f"{name} {version}" for name, version in sandbox.runtime().items() if name != "digest")
    return Finding(State.OK, "trial", f"{sandbox.name}: a session took {usage.wall_s:.1f} s ({versions})")


def _read(path: str) -> str:
    """A file's text, empty if it can't be read."""
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""
