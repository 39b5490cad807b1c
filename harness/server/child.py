"""What a forked child does: it locks itself in, step by step, and becomes the harness. No student byte came before."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import runpy
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from . import lockdown as lock

_CHANNEL, _OUTPUT = 3, (1, 2)
_OURS = (__package__, *(f"{__package__}.{name}" for name in ("child", "lockdown", "server")))
_NAMESPACES = lock.NEWNS | lock.NEWIPC | lock.NEWUTS | lock.NEWNET | lock.NEWCGROUP


def become(request: Mapping[str, Any], filter_code: bytes, channel: int, output: int) -> NoReturn:
    """Run the harness on `channel` with everything it prints going to `output`; ends the process.

    request: see forkserver_process.py on the judge's side. Runs in a new process number namespace, as a child of the
    server, with CAP_SYS_ADMIN over the server's namespaces until it gives that up.
    """
    try:
        _streams(channel, output)
        _lock_in(request, filter_code)
        _start_afresh(request)
    except BaseException as error:
        os.write(2, f"sandbox lock-in failed: {type(error).__name__}: {error}\n".encode())
        os._exit(lock.FAILED)
    os._exit(_harness())


def _streams(channel: int, output: int) -> None:
    """Standard streams and the channel, nothing else. A session of its own: signals to the group stay inside."""
    lock.die_with_parent()
    os.setsid()
    channel, output = os.dup(channel), os.dup(output)  # beyond 3, so that nothing below overwrites them
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    for number in _OUTPUT:
        os.dup2(output, number)
    os.dup2(channel, _CHANNEL)
    lock.close_all_but((0, *_OUTPUT, _CHANNEL))


def _lock_in(request: Mapping[str, Any], filter_code: bytes) -> None:
    os.umask(0o077)
    lock.unshare(_NAMESPACES)
    lock.mount(None, "/", None, lock.MS_REC | lock.MS_PRIVATE)
    _file_systems(request)
    lock.set_host_name("sandbox")
    os.chdir(request["work"])
    # From here on the namespaces above belong to the server's user, not to this process's.
    lock.new_user_namespace(os.getuid(), os.getgid())
    lock.set_readable_by_itself()
    # Limits come after the user namespace: the one that counts processes counts only those of its own, then.
    lock.give_up_everything(request["limits"], request["writable"], filter_code)


def _file_systems(request: Mapping[str, Any]) -> None:
    """One sized file system behind the work and the temporary folder, one for shared memory, a /proc of its own.

    A size alone would let through as many empty files as the machine has memory for, so inodes are limited as well.
    """
    quiet = lock.MS_NOSUID | lock.MS_NODEV
    work, temporary, shared = request["work"], request["temporary"], request["shared"]
    box = f"size={request['disk']},nr_inodes={request['inodes']},mode=0755"
    lock.mount("tmpfs", temporary, "tmpfs", quiet, box)
    for name in ("work", "tmp"):
        os.mkdir(f"{temporary}/{name}", 0o700)  # noqa: PTH102
    lock.mount(f"{temporary}/work", work, None, lock.MS_BIND)
    lock.mount(f"{temporary}/tmp", temporary, None, lock.MS_BIND)
    lock.mount("tmpfs", shared, "tmpfs", quiet, f"size={request['shm']},nr_inodes=1024,mode=0700")
    if request["shown"]:
        lock.mount(f"{request['shelf']}/{request['shown']}", request["data"], None, lock.MS_BIND)
    if request["shelf"]:  # covered: the folders of other data sets are nobody's business here
        lock.mount("tmpfs", request["shelf"], "tmpfs", quiet | lock.MS_RDONLY, "size=4k,nr_inodes=1,mode=0555")
    lock.mount("proc", "/proc", "proc", quiet | lock.MS_NOEXEC)


def _start_afresh(request: Mapping[str, Any]) -> None:
    """What two children of one server must not share, and what a process finds when it starts."""
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["-c"]
    for name in _OURS:  # by name: a look at every module would copy every page that names lie in
        sys.modules.pop(name, None)
    signal.set_wakeup_fd(-1)
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(int.from_bytes(os.urandom(4), "little"))
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(int.from_bytes(os.urandom(7), "little"))
        torch.set_num_threads(request["threads"])
    gc.enable()


def _harness() -> int:
    """Run the harness as a cold start would; its exit status."""
    try:
        runpy.run_module("harness", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as left:
        status = _status(left.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    return status


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{code}\n")
    return 1
