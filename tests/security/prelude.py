"""What every attack finds: syscall(number, *arguments), and `given`, `inside`, set by the test."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *arguments):
    """A raw system call, or OSError."""
    wide = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = _libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
