"""Throws pages of a file that all sessions read out of memory: a word that another session can see, again and again."""

# control: anyone
import ctypes
import mmap
import os

with open(os.__file__, "rb") as file:
    pages = mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
answer = syscall(28, address, 4096, 21) == 0  # madvise, MADV_PAGEOUT
