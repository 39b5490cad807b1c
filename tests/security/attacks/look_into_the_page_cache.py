"""Drops a file that all sessions read from the page cache, and looks whether it is there: one bit for another session."""

# control: anyone
import os

file = os.open(os.__file__, os.O_RDONLY)
answer = 0
for attempt in (
    lambda: syscall(221, file, 0, 0, 4),  # fadvise64(POSIX_FADV_DONTNEED)
    lambda: syscall(187, file, 0, 4096),  # readahead
    lambda: os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT),
):
    try:
        attempt()
        answer += 1
    except OSError:
        pass
