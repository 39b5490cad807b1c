"""Watches a folder that all sessions and the machine itself use: each open of a file is told."""

# control: anyone
import os

answer = syscall(294, 0)  # inotify_init1
syscall(254, answer, ctypes.c_char_p(os.path.dirname(os.__file__).encode()), 0x20)  # IN_OPEN
