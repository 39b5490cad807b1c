"""Locks a file that all sessions can read: a bit that another session sees."""

# control: anyone
import fcntl
import os

first, second = open(os.__file__), open(os.__file__)
fcntl.flock(first, fcntl.LOCK_EX)
try:
    fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    answer = False
except BlockingIOError:
    answer = True
