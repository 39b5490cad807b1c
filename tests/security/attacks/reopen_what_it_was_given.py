"""Opens its own descriptors anew, for writing where it may only read and the other way round."""

# control: none
import os

answer = []
for number in range(4):
    target = os.readlink(f"/proc/self/fd/{number}")
    for flags in (os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_NONBLOCK):
        try:
            found = os.open(f"/proc/self/fd/{number}", flags)
        except OSError:
            continue
        if not target.startswith(("pipe:", "/dev/null")):
            answer.append(target)
        os.close(found)
