"""Writes docker/seccomp-worker.json, the system calls a worker's container may make. Run after changing the list.

    PYTHONPATH=. .venv/bin/python docker/make_seccomp_profile.py

What a container engine allows by default lets no sandbox be made inside. This profile allows what student code may
call (autograder/sandbox/seccomp.py), what a service needs, and what making a sandbox needs; nothing else. The sandbox
puts its own, narrower filter on top.
"""

from __future__ import annotations

import json
from pathlib import Path

from autograder.sandbox import seccomp

PROFILE = Path(__file__).with_name("seccomp-worker.json")
# Names with their x86-64 numbers; the profile needs only names, the test that tries it out the numbers.
# fmt: off
SERVICE = {  # what a worker and its libraries call besides student code's list
    "mmap": 9, "sendfile": 40, "splice": 275, "tee": 276,
    "socket": 41, "socketpair": 53, "ioctl": 16, "prctl": 157, "clone": 56, "memfd_create": 319, "mbind": 237,
    "set_mempolicy": 238, "sched_setscheduler": 144, "sched_setparam": 142, "sched_setattr": 314, "ioprio_set":
    251, "setuid": 105, "setgid": 106, "setreuid": 113, "setregid": 114, "setresuid": 117, "setresgid": 119,
    "setfsuid": 122, "setfsgid": 123, "setgroups": 116, "capset": 126, "seccomp": 317, "landlock_create_ruleset":
    444, "landlock_add_rule": 445, "landlock_restrict_self": 446, "syncfs": 306,
    "fcntl": 72, "flock": 73, "preadv2": 327, "pwritev2": 328, "fadvise64": 221, "readahead": 187, "mincore": 27,
    "inotify_init1": 294, "inotify_add_watch": 254, "inotify_rm_watch": 255,
    "sendmsg": 46, "sendmmsg": 307, "madvise": 28,
}
MAKE_A_SANDBOX = {  # what bubblewrap, the fork server and the lock-in call
    "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "sethostname": 170,
}
# fmt: on


def profile() -> dict[str, object]:
    """The profile as the container engine reads it."""
    allowed = sorted({*seccomp.ALLOWED, *SERVICE, *MAKE_A_SANDBOX})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [
            {"names": allowed, "action": "SCMP_ACT_ALLOW"},
            # Its flags can't be looked at; told that it is missing, the C library falls back to clone.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
        ],
    }


if __name__ == "__main__":
    PROFILE.write_text(json.dumps(profile(), indent=2) + "\n", "utf-8")
