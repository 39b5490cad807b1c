"""Opens its own descriptors anew, for writing where it may only read and the other way round."""

# control: anyone
import os

answer = []
for number in map(int, os.listdir("/proc/self/fd")):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        continue  # of the listing itself
    for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_NONBLOCK):
        try:
            found = os.open(f"/proc/self/fd/{number}", flags)
        except OSError:
            continue
        if not target.startswith(("pipe:", "/dev/null")):
            answer.append(target)
        os.close(found)
