"""Writes capabilities into a file, for whoever runs it."""

# control: CAP_SETFCAP
import os

answer = 0
open("mine", "w").close()
try:
    os.setxattr("mine", "security.capability", bytes.fromhex("0100000200000100000000000000000000000000"))
    answer = 1
except OSError:
    pass
