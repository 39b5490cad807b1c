"""Starts a program in a single-use bubblewrap sandbox and hands it over as `Started`.

As an ordinary user one bubblewrap makes the sandbox. As root there are two: the outer one shows the runtime, which may
lie where only root can read, under /mnt, then gives up root for a user number of its own; the inner one is the same
as an ordinary user's.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox import seccomp
from autograder.sandbox.base import DATA, Limits
from autograder.sandbox.cgroups import Group
from autograder.sandbox.runtime import VENV, Runtime
from autograder.sandbox.session import Started
from autograder.sandbox.tree import Tree

USERS = range(60_000, 65_000)  # as root, each session runs as one of these; none of them owns anything
_INFO_S = 10.0
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_SYSTEM_LINKS = ("/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
# Without /dev/zero: a shared map of it is memory that no process's figures show once it is not touched any more.
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")
_NODES = Path("/dev")  # where this machine's device nodes are looked for
_ISOLATION = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--clearenv", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"),
    *(
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--cap-add",
        "CAP_SETPCAP",
    ),  # until locked in
)
PLACE = "/opt/autograder"
PACKAGE = "harness_server"  # what harness/server is called inside, so that any harness can lie beside it
BOX = "/box"  # the file system behind WORK and TMP while they are made
WORK, TMP, SHM = "/work", "/tmp", "/dev/shm"  # noqa: S108
LOCK_FAILED = 97  # FAILED of harness/server/lockdown.py
SERVER = Path(__file__).parent.parent.parent / "harness" / "server"
_FILES = {
    "/etc/passwd": "root:x:0:0:root:/:/usr/sbin/nologin\nstudent:x:1000:1000:student:/work:/bin/sh\n",
    "/etc/group": "root:x:0:\nstudent:x:1000:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"
_HUGE_PAGE_FILES = ("enabled", "hpage_pmd_size")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. device: number of the NVIDIA card to show, None for the CPU. shows: path inside → folder."""

    runtime: Runtime
    harness: Path
    limits: Limits
    device: int | None = None
    shows: Mapping[str, Path] = field(default_factory=dict)


@dataclass
class FirstProcess:
    """The outermost bubblewrap, or whatever else a sandbox started first: it ends last."""

    popen: subprocess.Popen[bytes]

    def wait(self, seconds: float) -> int | None:
        """Exit status in shell manner, or None if it still runs after `seconds`."""
        try:
            status = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return status if status >= 0 else 128 - status

    def fault(self) -> str:
        """Empty: nothing of ours can end it."""
        return ""

    def kill(self) -> None:
        """Kill it; where it is bubblewrap, with --die-with-parent everything below it follows."""
        self.popen.kill()


def launch(plan: Plan, group: Group | None = None) -> Started:
    """Start the harness, in `group` if one is given.

    Raises SandboxUnavailable if this machine can't, SandboxError for other faults of ours.

    The calling thread must outlive the session: the kernel kills the sandbox when the thread that started it ends.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    output, output_end = os.pipe()
    info, info_end = os.pipe()
    try:
        words = command(plan, theirs.fileno(), info_end)
        popen = subprocess.Popen(
            group.enter(words) if group else words,
            stdin=subprocess.DEVNULL,
            stdout=output_end,
            stderr=output_end,
            env={},  # bubblewrap's init keeps the environment it was started with, readable in /proc/1/environ
            cwd="/",
            pass_fds=(theirs.fileno(), info_end),
        )
    except OSError as error:
        _close(ours, output, info)
        raise SandboxUnavailable(f"bubblewrap could not be started: {error}") from error
    except BaseException:
        _close(ours, output, info)
        raise
    finally:
        _close(theirs, output_end, info_end)
    process = FirstProcess(popen)
    try:
        return Started(ours, output, process, Tree(first_process(info)), (WORK, SHM), group)
    except (OSError, ValueError, SandboxError) as error:
        process.kill()
        process.wait(_INFO_S)
        said = read_all(output)
        _close(ours, output)
        raise SandboxUnavailable(explain(said or str(error))) from error
    finally:
        _close(info)


def explain(said: str) -> str:
    """What to do about a bubblewrap that would not start."""
    return (
        f"The sandbox could not start on this machine: {said.strip()[-500:]}. "
        "bubblewrap must be allowed to make user namespaces: `bin/autograder doctor` says what is in the way, "
        "docs/security.md what a container or host must allow."
    )


def command(plan: Plan, channel: int, info: int) -> list[str]:
    """The whole command line. channel, info: descriptors that are passed on."""
    arguments = [*enclosure(plan), "--tmpfs", BOX, "--info-fd", str(info), "--", plan.runtime.bare, "-I", "-S"]
    arguments += ["-c", run_first("cold")]
    return [*arguments, json.dumps(lock_config(plan, channel), separators=(",", ":"))]


def run_first(module: str) -> str:
    """Python source that runs a module of harness/server, as it lies inside."""
    return f"import sys; sys.path.insert(0, {PLACE!r}); from {PACKAGE} import {module}; {module}.main()"


def start_harness(place: str) -> str:
    """Python source that becomes the harness whose package lies in the folder `place`."""
    return (
        f"import sys; sys.path.insert(0, {place!r}); import runpy; "
        "runpy.run_module('harness', run_name='__main__', alter_sys=True)"
    )


def enclosure(plan: Plan) -> list[str]:
    """bubblewrap with the system, the runtime and the harness read-only; the caller adds mounts and the program.

    The root folder stays writable, for what runs first to close. The plan's limits are not looked at.
    """
    runtime, device = plan.runtime, plan.device
    bwrap = _tool("bwrap", "bubblewrap")
    shown = {f"{PLACE}/harness": plan.harness, f"{PLACE}/{PACKAGE}": SERVER, **plan.shows}
    sources = {at: str(path) for at, path in {**runtime.folders, **shown}.items()}
    if os.geteuid() != 0:
        return [bwrap, *_inner(runtime, sources, device)]
    setpriv = _tool("setpriv", "util-linux")
    user = str(secrets.choice(USERS))
    outer = [bwrap, "--die-with-parent", "--dev-bind", "/", "/", "--tmpfs", "/mnt"]
    for number, (at, source) in enumerate(sources.items()):
        sources[at] = f"/mnt/{number}"
        outer += ["--ro-bind", source, sources[at]]
    drop = [setpriv, "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
    return [*outer, "--", *drop, bwrap, *_inner(runtime, sources, device)]


def _inner(runtime: Runtime, sources: Mapping[str, str], device: int | None) -> list[str]:
    arguments = [*_ISOLATION, "--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM_LINKS:
        if Path(path).is_symlink():
            arguments += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).is_dir():
            arguments += ["--ro-bind", path, path]
    for path in _ETC:
        arguments += ["--ro-bind-try", path, path]
    for at, source in sources.items():
        arguments += ["--ro-bind", source, at]
    for at, target in runtime.links.items():
        arguments += ["--symlink", target, at]
    for name, value in runtime.environment.items():
        arguments += ["--setenv", name, value]
    arguments += ["--proc", "/proc", "--tmpfs", "/dev"]
    for path in (*_DEVICES, *_gpu_devices(device)):
        arguments += ["--dev-bind", path, path]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        arguments += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    arguments += ["--symlink", "/proc/self/fd", "/dev/fd", "--tmpfs", SHM, "--remount-ro", "/dev"]
    if device is not None:
        arguments += ["--ro-bind", "/sys", "/sys"]
    else:
        arguments += ["--dir", HUGE_PAGES]
    places = [WORK, TMP, "/etc", *([] if DATA in sources else [DATA])]
    return [*arguments, *(word for path in places for word in ("--dir", path))]


def lock_config(plan: Plan, channel: int) -> dict[str, Any]:
    """What a process is told that locks itself in; the argument of harness/server/cold.py."""
    limits = plan.limits
    return {
        "channel": channel,
        "work": WORK,
        "temporary": TMP,
        "shared": SHM,
        "box": BOX,
        "disk": limits.disk_mb << 20,
        "inodes": limits.inodes + 3,  # the folders /work and /tmp, and the root they lie in
        "shm": limits.memory_mb << 19,
        "files": {**_FILES, **(_huge_pages() if plan.device is None else {}), **plan.runtime.files},
        "limits": resource_limits(limits, gpu=plan.device is not None),
        "writable": [WORK, TMP, SHM, *_DEVICES, *_gpu_devices(plan.device)],
        "filter": base64.b64encode(seccomp.program(gpu=plan.device is not None)).decode("ascii"),
        "command": [plan.runtime.python, "-B", "-s", "-P", "-u", "-c", start_harness(PLACE)],
        "environment": {**environment(limits, plan.device), **plan.runtime.environment},
    }


def _huge_pages() -> dict[str, str]:
    """What the C library reads before it asks for huge pages (GLIBC_TUNABLES), copied: /sys itself is not shown."""
    return {str(path): path.read_text() for path in map(Path(HUGE_PAGES).joinpath, _HUGE_PAGE_FILES) if path.is_file()}


def resource_limits(limits: Limits, *, gpu: bool = False) -> dict[str, int]:
    """rlimits of each process in the sandbox.

    DATA makes an allocation beyond the limit fail where it is made, which tells a student more than being killed; what
    it can't see (shared maps, many processes) the watchdog does. A CUDA driver reserves more than either would allow.
    """
    memory = {} if gpu else {"DATA": max(limits.memory_mb, 1024) << 20, "AS": (limits.memory_mb + 4096) << 20}
    return memory | {
        "CPU": int(limits.cpu_s) + 2,
        "FSIZE": limits.disk_mb << 20 if not gpu else limits.memory_mb << 20,
        "NPROC": limits.processes + 1,  # bubblewrap's init counts
        "NOFILE": 256 if not gpu else 1024,
        "CORE": 0,
        "MEMLOCK": 1 << 16,
        "MSGQUEUE": 0,
        "SIGPENDING": 256,
    }


def environment(limits: Limits, device: int | None = None) -> dict[str, str]:
    """All that student code finds in os.environ: an allow-list, nothing of ours."""
    threads = str(limits.threads)
    counts = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    return {
        "HOME": WORK,
        "USER": "student",
        "LOGNAME": "student",
        "PATH": f"{VENV}/bin:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": TMP,
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{TMP}/matplotlib",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",  # a vocabulary made from a set has the same order in every grading
        "CUDA_VISIBLE_DEVICES": "" if device is None else "0",
        **{f"{name}_NUM_THREADS": threads for name in counts},
    }


def _gpu_devices(device: int | None) -> list[str]:
    """Device nodes of one card and of the driver."""
    if device is None:
        return []
    nodes = (f"nvidia{device}", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
    return [f"/dev/{node}" for node in nodes if (_NODES / node).exists()]


def _tool(name: str, package: str) -> str:
    path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    if path is None:
        raise SandboxUnavailable(f"{name} is missing. Install it (Debian, Ubuntu: apt-get install {package}).")
    return path


def first_process(info: int) -> int:
    """The process number of the sandbox's init, which bubblewrap tells before it starts it."""
    deadline, text = time.monotonic() + _INFO_S, b""
    while True:
        ready, _, _ = select.select([info], [], [], max(deadline - time.monotonic(), 0.0))
        if not ready:
            raise SandboxError("bubblewrap said nothing")
        piece = os.read(info, 4096)
        if not piece:
            break
        text += piece
    number = json.loads(text or b"{}").get("child-pid")
    if type(number) is not int:
        raise SandboxError("bubblewrap ended at once")
    return number


def read_all(pipe: int) -> str:
    """What lies in a pipe."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        return os.read(pipe, 1 << 16).decode("utf-8", "replace")
    return ""


def _close(*things: socket.socket | int) -> None:
    for thing in things:
        if isinstance(thing, int):
            os.close(thing)
        else:
            thing.close()
