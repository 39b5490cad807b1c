"""Hides Landlock from this process and all that it starts: a kernel without it, to see what rests on it."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_FIRST, _LAST = 444, 446  # landlock_create_ruleset, landlock_add_rule, landlock_restrict_self: on every architecture
_LOAD, _AT_LEAST, _ABOVE, _RETURN = 0x20, 0x35, 0x25, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2


def hide() -> None:
    """Answer Landlock's system calls with ENOSYS from now on. Raises OSError if the kernel takes no filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    lines = [
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 2, _FIRST),
        (_ABOVE, 1, 0, _LAST),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code)))
    if os.geteuid() != 0:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, program) != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")
    if libc.syscall(_FIRST, None, 0, 1) != -1 or ctypes.get_errno() != errno.ENOSYS:
        raise OSError("Landlock still answers")
