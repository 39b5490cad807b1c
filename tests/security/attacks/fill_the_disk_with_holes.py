"""Makes a file of terabytes with nothing in it, and maps it."""

# control: anyone
import mmap
import os

answer = 0
file = os.open("holes", os.O_RDWR | os.O_CREAT)
try:
    os.ftruncate(file, 1 << 42)
    answer = len(mmap.mmap(file, 1 << 42))
except (OSError, ValueError, OverflowError):
    pass
